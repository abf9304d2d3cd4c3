"""What proxies do to a stream, and that the line which the finding names mends it: the line is put in, and the rule holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ssegauge.finding import Finding
from ssegauge.rules import CATALOGUE
from ssegauge.serving import ServedApp

from .proxies import caddy, haproxy, nginx, varnish
from .running import SERVERS, Foreign, Running, running
from .test_proxies import UVICORN, rules

pytestmark = [pytest.mark.field, pytest.mark.slow]

Faulty = Callable[[str, Path, str], AbstractContextManager[str]]
"""Takes a server's address, a folder, and a line that may mend the fault."""


@dataclass(frozen=True)
class Fault:
    """A proxy with a fault, the rule that it breaks, and whether the rule takes its time."""

    proxy: str
    rule: str
    front: Faulty
    long: bool = False
    after: frozenset[str] = frozenset()  # rules that are judged before it: a stream that was stored went through once


ON = "proxy_http_version 1.1; gzip on; gzip_min_length 0; gzip_types text/event-stream;"


def _cache(url: str, folder: Path, line: str) -> AbstractContextManager[str]:
    outside = f"proxy_cache_path {folder}/cache keys_zone=s:1m; proxy_cache s; proxy_cache_valid 200 1m;"
    return nginx(url, folder, f"proxy_http_version 1.1; {line}", outside)


def _packing(url: str, folder: Path, line: str) -> AbstractContextManager[str]:
    return varnish(
        url, folder, f"sub vcl_backend_response {{ set beresp.uncacheable = true; set beresp.do_gzip = true; {line} }}"
    )


def _storing(place: str) -> Faulty:
    """Varnish as it comes, with the line in this place."""
    return lambda url, folder, line: varnish(url, folder, f"sub {place} {{ {line} }}" if line else "")


FAULTS = {
    "nginx as it comes": Fault("nginx", "BUF-03", nginx),
    "nginx, gzip": Fault("nginx", "BUF-03", lambda url, folder, line: nginx(url, folder, line, ON)),
    "nginx, proxy_cache": Fault("nginx", "BUF-05", _cache),
    "nginx, proxy_cache, resumed": Fault("nginx", "BUF-04", _cache, after=frozenset({"BUF-03"})),
    "nginx, proxy_ignore_client_abort": Fault(
        "nginx",
        "BUF-06",
        lambda url, folder, line: nginx(
            url, folder, f"proxy_http_version 1.1; {line}", "proxy_ignore_client_abort on;"
        ),
    ),
    "nginx, proxy_read_timeout": Fault(
        "nginx",
        "BUF-09",
        lambda url, folder, line: nginx(url, folder, f"proxy_http_version 1.1; {line}", "proxy_read_timeout 2s;"),
        long=True,
    ),
    "HAProxy as it comes": Fault("HAProxy", "BUF-03", haproxy),
    "HAProxy as it comes, left in silence": Fault("HAProxy", "BUF-06", haproxy),
    "HAProxy, timeout server": Fault(
        "HAProxy",
        "BUF-09",
        lambda url, folder, line: haproxy(url, folder, f"option http-no-delay\n  {line}", timeout="2s"),
        long=True,
    ),
    "Varnish as it comes": Fault("Varnish", "BUF-05", _storing("vcl_backend_response")),
    "Varnish as it comes, resumed": Fault(
        "Varnish", "BUF-04", _storing("vcl_backend_response"), after=frozenset({"BUF-03"})
    ),
    "Varnish as it comes, left": Fault("Varnish", "BUF-06", _storing("vcl_recv")),
    "Varnish, do_gzip": Fault("Varnish", "BUF-03", _packing),
    "Varnish, between_bytes_timeout": Fault(
        "Varnish",
        "BUF-09",
        lambda url, folder, line: varnish(
            url, folder, f"sub vcl_backend_fetch {{ set bereq.between_bytes_timeout = 2s; {line} }}"
        ),
        long=True,
    ),
}


THROUGH = {"BUF-03", "BUF-04", "BUF-05", "BUF-06", "BUF-09"}


@pytest.fixture(scope="module")
def origin() -> Iterator[Running]:
    """A server that tells proxies nothing."""
    with running(Foreign(UVICORN)) as server:
        yield server


def _line(finding: Finding, proxy: str) -> str:
    """The line of configuration that the finding names for this proxy."""
    said = CATALOGUE[finding.rule].mends[proxy]
    assert f"{proxy}: {said}" in finding.mend
    found = re.search(r"`(.+)`", said)
    assert found is not None
    return found[1]


def test_varnish_that_stores_nothing_notices_who_leaves_between_events_only(origin: Running, tmp_path: Path) -> None:
    with varnish(origin.url, tmp_path, "sub vcl_backend_response { set beresp.uncacheable = true; }") as front:
        found = rules(origin.url, tmp_path, THROUGH - {"BUF-09"}, proxied=front)
    assert {rule for rule, seen in found.items() if seen.outcome != "pass"} == {"BUF-06"}
    assert "idle" in found["BUF-06"].expected


@pytest.mark.parametrize("name", list(FAULTS))
def test_the_line_that_the_finding_names_mends_it(origin: Running, tmp_path: Path, name: str) -> None:
    fault = FAULTS[name]
    asked = {fault.rule, *fault.after}
    (tmp_path / "faulty").mkdir()
    with fault.front(origin.url, tmp_path / "faulty", "") as front:
        found = rules(origin.url, tmp_path, asked, proxied=front, long=fault.long)
    assert found[fault.rule].outcome == "fail", found[fault.rule].reason
    line = _line(found[fault.rule], fault.proxy)
    (tmp_path / "mended").mkdir()
    with fault.front(origin.url, tmp_path / "mended", line) as front:
        found = rules(origin.url, tmp_path, asked, proxied=front, long=fault.long)
    assert found[fault.rule].outcome == "pass", found[fault.rule]


def test_the_death_of_the_server_is_told_by_nginx_over_http_1_1(tmp_path: Path) -> None:
    """The line is the finding's; Caddy's finding says that there is none."""
    with ServedApp("paced:app", root=SERVERS) as app:
        with nginx(app.url, tmp_path, "proxy_buffering off;") as front:
            found = rules(app.url, tmp_path, {"BUF-07"}, proxied=front, app=app)["BUF-07"]
        assert found.outcome == "fail"
        with nginx(app.url, tmp_path, f"proxy_buffering off; {_line(found, 'nginx')}") as front:
            assert rules(app.url, tmp_path, {"BUF-07"}, proxied=front, app=app)["BUF-07"].outcome == "pass"
        with caddy(app.url, tmp_path) as front:
            found = rules(app.url, tmp_path, {"BUF-07"}, proxied=front, app=app)["BUF-07"]
        assert found.outcome == "fail"
        assert "Caddy: no line mends it" in found.mend


@pytest.mark.parametrize(
    ("inside", "outside", "broken"),
    [
        ("", "", set()),
        ("", "encode gzip", set()),
        ("flush_interval -1", "", {"BUF-06"}),
        ("buffer_responses", "", {"BUF-03"}),
        ("transport http {\n read_timeout 2s\n }", "", {"BUF-09"}),
    ],
    ids=["as it comes", "encode", "flush_interval", "buffer_responses", "read_timeout"],
)
def test_caddy(origin: Running, tmp_path: Path, inside: str, outside: str, broken: set[str]) -> None:
    asked = broken or THROUGH
    with caddy(origin.url, tmp_path, inside, outside) as front:
        found = rules(origin.url, tmp_path, asked, proxied=front, long=True)
    assert {rule: seen.outcome for rule, seen in found.items()} == {
        rule: "fail" if rule in broken else "pass" for rule in asked
    }
    for rule in broken:
        named = re.search(r"Caddy: take `(\w+)` out", found[rule].mend)
        assert named is not None
        assert named[1] in inside
