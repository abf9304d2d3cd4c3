"""The suite in front of real proxies: what nginx and HAProxy do to a stream by default, and what mends it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ssegauge import profile
from ssegauge.bench import Bench, Options
from ssegauge.finding import Finding
from ssegauge.serving import ServedApp

from .contract import broken, findings
from .proxies import haproxy, nginx
from .running import SERVERS, Foreign, Running, running

pytestmark = [pytest.mark.field, pytest.mark.slow]

UVICORN = "{python} -m uvicorn --host 127.0.0.1 --port {port} --log-level critical --http h11 paced:app"
STREAMING = "proxy_http_version 1.1; proxy_buffering off;"
PROFILE = """
base_url = "{url}"

[[endpoint]]
name     = "stream"
request  = {{ path = "/stream", params = {{ count = 10, pause = 0.1 }} }}
data     = "json"
order    = "tick+ done"
terminal = ["done"]
sequence = {{ pointer = "/n" }}
sent_at  = {{ pointer = "/at", unit = "s" }}
resume   = {{ from = "Last-Event-ID" }}
deadline = "8s"
lifetime = "5s"
idle     = {{ path = "/idle" }}
endless  = {{ params = {{ count = 1000000, pause = 0.05 }} }}

[probe]
url = "/probe"
active_streams = "/active_streams"

[target]
{target}
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[Running]:
    """A server that tells proxies nothing."""
    with running(Foreign(UVICORN)) as server:
        yield server


def _bench(url: str, folder: Path, *, proxied: str = "", app: ServedApp | None = None) -> Bench:
    path = folder / "sse-target.toml"
    path.write_text(PROFILE.format(url=url, target=f'proxied = "{proxied}"' if proxied else ""), encoding="utf-8")
    contract = profile.load(path)
    return Bench(contract, contract.endpoint[0], Options(window=8.0), app)


def rules(
    url: str, folder: Path, asked: set[str], *, proxied: str = "", long: bool = False, app: ServedApp | None = None
) -> dict[str, Finding]:
    bench = _bench(url, folder, proxied=proxied, app=app)
    if long:
        bench.options = replace(bench.options, long=True)
    return {finding.rule: finding for finding in findings(bench, asked)}


THROUGH = {"BUF-03", "BUF-04", "BUF-05", "BUF-06"}


def _outcomes(found: dict[str, Finding]) -> dict[str, str]:
    return {rule: f"error: {seen.reason}" if seen.outcome == "error" else seen.outcome for rule, seen in found.items()}


def test_nginx_by_default_holds_the_stream_back(origin: Running, tmp_path: Path) -> None:
    """It asks by HTTP/1.0 and fills its buffer: 0.9 s of events come in one read of 700 bytes, as the stream ends."""
    with nginx(origin.url, tmp_path) as front:
        through = rules(origin.url, tmp_path, THROUGH, proxied=front)
        assert _outcomes(through) == {"BUF-03": "fail", "BUF-04": "pass", "BUF-05": "pass", "BUF-06": "pass"}
        itself = rules(front, tmp_path, {"BUF-01", "BUF-05"})
        assert _outcomes(itself) == {"BUF-01": "fail", "BUF-05": "pass"}
        assert "came within 0.00" in itself["BUF-01"].actual


@pytest.mark.parametrize("inside", [STREAMING, "proxy_http_version 1.1;", "proxy_buffering off;"])
def test_nginx_told_not_to_buffer_passes_on(origin: Running, tmp_path: Path, inside: str) -> None:
    with nginx(origin.url, tmp_path, inside) as front:
        through = rules(origin.url, tmp_path, THROUGH, proxied=front)
        assert _outcomes(through) == dict.fromkeys(THROUGH, "pass")
        assert _outcomes(rules(front, tmp_path, {"BUF-01"})) == {"BUF-01": "pass"}


def test_nginx_obeys_the_header(tmp_path: Path) -> None:
    """The same defaults, in front of a server that says X-Accel-Buffering: no."""
    told = Foreign(UVICORN.replace("paced", "starlette_plain"))
    with running(told) as server, nginx(server.url, tmp_path) as front:
        path = tmp_path / "sse-target.toml"
        path.write_text(
            f'base_url = "{server.url}"\n[[endpoint]]\nname = "s"\nrequest = {{ path = "/stream" }}\n'
            f'[target]\nproxied = "{front}"\n'
        )
        contract = profile.load(path)
        found = findings(Bench(contract, contract.endpoint[0], Options(window=3.0)), {"BUF-03"})
    assert [finding.outcome for finding in found] == ["pass"]


def test_nginx_with_a_cache_replays_a_stream(origin: Running, tmp_path: Path) -> None:
    outside = f"proxy_cache_path {tmp_path}/cache keys_zone=streams:1m;"
    inside = "proxy_cache streams; proxy_cache_valid 200 1m; add_header X-Cache-Status $upstream_cache_status;"
    with nginx(origin.url, tmp_path, inside, outside) as front:
        assert _outcomes(rules(front, tmp_path, {"BUF-05"})) == {"BUF-05": "fail"}


def test_nginx_that_compresses_holds_events_back(origin: Running, tmp_path: Path) -> None:
    """gzip for event streams: flushed per buffer, so that it keeps the pace where buffering is off. That is no fault."""
    inside = STREAMING + "gzip on; gzip_types text/event-stream; gzip_min_length 0;"
    with nginx(origin.url, tmp_path, inside) as front:
        assert _outcomes(rules(front, tmp_path, {"BUF-02"})) == {"BUF-02": "pass"}


Proxy = Callable[[str, Path], contextlib.AbstractContextManager[str]]


@pytest.mark.parametrize(
    "front",
    [
        lambda url, folder: nginx(url, folder, f"{STREAMING} proxy_read_timeout 2s;"),
        lambda url, folder: haproxy(url, folder, "option http-no-delay", timeout="2s"),
    ],
    ids=["nginx", "haproxy"],
)
def test_proxy_cuts_an_idle_stream(origin: Running, tmp_path: Path, front: Proxy) -> None:
    """After two silent seconds the connection is closed inside the message."""
    with front(origin.url, tmp_path) as url:
        found = rules(origin.url, tmp_path, {"BUF-09"}, proxied=url, long=True)
        assert found["BUF-09"].outcome == "fail"
        assert "eof after 2" in found["BUF-09"].actual
        bench = _bench(url, tmp_path)
        assert bench.observe(bench.sent("idle")).verdict == "truncated"


def test_haproxy_by_default_delays_and_joins_events(origin: Running, tmp_path: Path) -> None:
    """It tells the kernel that more will follow (MSG_MORE), which then waits 200 ms before it sends."""
    with haproxy(origin.url, tmp_path) as front:
        through = rules(origin.url, tmp_path, {"BUF-03", "BUF-04", "BUF-06"}, proxied=front)
        assert _outcomes(through) == {"BUF-03": "fail", "BUF-04": "pass", "BUF-06": "fail"}


def test_haproxy_without_delay_passes_on(origin: Running, tmp_path: Path) -> None:
    with haproxy(origin.url, tmp_path, "option http-no-delay\n  option abortonclose") as front:
        through = rules(origin.url, tmp_path, THROUGH, proxied=front)
        assert _outcomes(through) == dict.fromkeys(THROUGH, "pass")
        assert _outcomes(rules(front, tmp_path, {"BUF-01", "BUF-08"})) == dict.fromkeys(("BUF-01", "BUF-08"), "pass")


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        (
            "proxy_buffering off;",
            "fail",
        ),  # by HTTP/1.0 the end of the connection is the end of the body: it looks clean
        (STREAMING, "pass"),
    ],
    ids=["http/1.0", "http/1.1"],
)
def test_server_that_dies_behind_nginx(tmp_path: Path, inside: str, outcome: str) -> None:
    with ServedApp("paced:app", root=SERVERS) as app, nginx(app.url, tmp_path, inside) as front:
        bench = _bench(app.url, tmp_path, proxied=front, app=app)
        found = findings(bench, {"BUF-07"})
        assert [finding.outcome for finding in found] == [outcome], broken(found)
