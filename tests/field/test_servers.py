"""The suite in front of servers that are not ours: exactly what they break, as their bytes show, and nothing else.

What each of the deviations looks like on the wire stands in docs/field-results.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from ssegauge.finding import Finding

from .contract import ERRORS, FAULT, bench_for, broken, findings
from .running import Foreign, lacking, running

pytestmark = [pytest.mark.field, pytest.mark.slow]

UVICORN = (
    "{python} -m uvicorn --host 127.0.0.1 --port {port} --log-level critical --timeout-graceful-shutdown 1 --http h11 "
)
HTTPTOOLS = UVICORN.replace("h11", "httptools")
HYPERCORN = "{python} -m hypercorn --workers 1 --bind 127.0.0.1:{port} "
GRANIAN = "{python} -m granian --interface asgi --host 127.0.0.1 --port {port} --no-log "
DAPHNE = "{python} -m daphne --bind 127.0.0.1 --port {port} --verbosity 0 "


PROBE = '[probe]\nurl = "/probe"\nactive_streams = "/active_streams"'


@dataclass(frozen=True)
class Case:
    """A server, lines of its profile, and the rules that it breaks."""

    server: Foreign
    more: str = FAULT
    breaks: frozenset[str] = frozenset()
    recommended: frozenset[str] = frozenset()
    target: str = ""
    dies: bool = False  # and takes with it what else could be judged
    may: frozenset[str] = frozenset()  # broken, but seen only where the machine's state lets it


CLEAN = {
    "starlette on uvicorn": Case(Foreign(UVICORN + "starlette_plain:app")),
    "sse-starlette on uvicorn": Case(Foreign(UVICORN + "sse_starlette_app:app")),
    "django on uvicorn": Case(Foreign(UVICORN + "django_app:app")),
    "aiohttp": Case(Foreign("{python} aiohttp_plain.py {port}")),
    "tornado": Case(Foreign("{python} tornado_app.py {port}"), more=""),
    "http.server": Case(Foreign("{python} stdlib_http10.py {port}"), more=f"{FAULT}\n{ERRORS}"),
    "node": Case(Foreign("{node} node_http.mjs {port}"), more=f"{FAULT}\n{ERRORS}"),
    "express": Case(Foreign("{node} express_app.mjs {port}"), more="", recommended=frozenset({"HDR-05"})),
    "express, compressed and flushed": Case(
        Foreign("{node} express_app.mjs {port}", {"COMPRESSION": "yes", "FLUSH": "yes"}), more="", recommended=frozenset({"HDR-05"})
    ),
}  # fmt: skip

NATIVE = frozenset({"ERR-06"})
"""FastAPI's own streams: an exception in the generator ends the message like a success."""

KNOWN = {
    "fastapi on uvicorn, h11": Case(Foreign(UVICORN + "fastapi_native:app"), breaks=NATIVE),
    # uvicorn's httptools protocol answers HTTP/1.0 in chunks
    "fastapi on uvicorn, httptools": Case(Foreign(HTTPTOOLS + "fastapi_native:app"), breaks=NATIVE | {"HTTP-12"}),
    "fastapi on hypercorn": Case(Foreign(HYPERCORN + "fastapi_native:app", worker=True), breaks=NATIVE),
    "fastapi on granian": Case(Foreign(GRANIAN + "fastapi_native:app", worker=True), breaks=NATIVE),
    "fastapi on daphne": Case(Foreign(DAPHNE + "fastapi_native:app"), breaks=NATIVE),
    # raising right after a yield: the event that was yielded last is lost, and the message is cut
    "fastapi, failing right after an event": Case(
        Foreign(UVICORN + "fastapi_native:app"), more="fault = { params = { fail_after = 2, pause = 0 } }", breaks=frozenset({"ERR-08"})
    ),
    # a synchronous generator is closed by the garbage collector, not when its client leaves; the tutorials set no
    # Cache-Control and no id, so that a cache may keep the stream and a reconnect runs it again; HEAD runs it unseen,
    # and the connection answers nothing else meanwhile
    "starlette as in tutorials": Case(
        Foreign(UVICORN + "starlette_documented:app", {"COLLECT": "no"}),
        breaks=frozenset({"HDR-04", "HTTP-04", "HTTP-06", "DIS-01"}), recommended=frozenset({"HDR-05"}),
        target=PROBE,
    ),
    # the same beside daphne, which sends the events in answer to HEAD, where the next response belongs
    "starlette as in tutorials on daphne": Case(
        Foreign(DAPHNE + "starlette_documented:app"),
        breaks=frozenset({"HDR-04", "HTTP-04", "HTTP-06", "ERR-09"}), recommended=frozenset({"HDR-05"}),
    ),
    # an exception in the iterator leaves the connection open for ever
    "django on daphne": Case(Foreign(DAPHNE + "django_app:app"), breaks=frozenset({"ERR-09"})),
    # an exception after the first flush: the last chunk is written as after a success
    "tornado, failing": Case(Foreign("{python} tornado_app.py {port}"), breaks=frozenset({"ERR-06"})),
    # HEAD of a long stream is answered at its end, for Node writes no head to HEAD before that; `retry: 2000` has a
    # block of its own
    "better-sse on express": Case(
        Foreign("{node} better_sse_app.mjs {port}"), more="",
        breaks=frozenset({"HTTP-06"}), recommended=frozenset({"FLD-17"}),
    ),
    # its README's way to resume is to do it oneself
    "aiohttp-sse": Case(Foreign("{python} aiohttp_sse_app.py {port}"), breaks=frozenset({"HTTP-04"})),
    # the development server sends chunks to an HTTP/1.0 client, too
    "flask": Case(
        Foreign("{python} flask_app.py {port}"),
        breaks=frozenset({"HDR-04", "HTTP-04", "HTTP-12"}), recommended=frozenset({"HDR-05"}),
    ),
    # the middleware compresses and keeps what it has until the end
    "express, compressed": Case(
        Foreign("{node} express_app.mjs {port}", {"COMPRESSION": "yes"}), more="",
        breaks=frozenset({"BUF-02"}), recommended=frozenset({"HDR-05"}),
    ),
    # streamSSE closes the stream after an exception, and sets Transfer-Encoding itself, for HTTP/1.0 as well
    "hono": Case(
        Foreign("{node} hono_app.mjs {port}"), breaks=frozenset({"ERR-06", "HTTP-12"}), recommended=frozenset({"HDR-05"})
    ),
    # an exception in the iterator is thrown where nobody catches it: the whole process dies of one failed stream
    "fastify-sse-v2, failing": Case(
        Foreign("{node} fastify_app.mjs {port}"), dies=True,
        breaks=frozenset({"ERR-10"}), recommended=frozenset({"HDR-05", "FLD-17"}),
    ),
    # no ids are resumed from in its README's example, and HEAD as with better-sse; the iterator is never told that its
    # client left: it waits for ever with what it has written, which V8's heap shows sooner or later
    "fastify-sse-v2": Case(
        Foreign("{node} fastify_app.mjs {port}"), more="", target=PROBE,
        breaks=frozenset({"HTTP-04", "HTTP-06", "DIS-01"}), recommended=frozenset({"HDR-05", "FLD-17"}),
        may=frozenset({"DIS-03"}),
    ),
}  # fmt: skip


AT_ONCE = 3
"""Servers that are judged side by side: a run mostly waits."""


def _judge(case: Case, folder: Path, **places: object) -> list[Finding]:
    with running(case.server, **places) as server:
        ca = str(places["ca"]) if "ca" in places else None
        return findings(bench_for(server, folder, more=case.more, target=case.target, ca=ca))


def _expect(case: Case, found: list[Finding]) -> None:
    wrong = broken(found)
    if case.dies:
        wrong = {rule: text for rule, text in wrong.items() if "no longer answers: see ERR-10" not in text}
    assert set(wrong) - case.may == case.breaks, "\n".join(
        text for rule, text in wrong.items() if rule not in case.breaks
    )
    assert set(broken(found, "RECOMMENDED")) == case.recommended
    assert sum(finding.outcome == "pass" for finding in found) > (50 if case.dies else 80)


@pytest.fixture(scope="module")
def judged(request, tmp_path_factory) -> Iterator[dict[str, Future[list[Finding]]]]:
    """The findings on every server that a selected test asks for, under way."""
    asked = [item.callspec.params["name"] for item in request.session.items if "judged" in item.fixturenames]
    cases = {name: case for name, case in {**CLEAN, **KNOWN}.items() if name in asked}
    cases = {name: case for name, case in cases.items() if not lacking(case.server)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(_judge, case, tmp_path_factory.mktemp("target")) for name, case in cases.items()}


def _result(judged: dict[str, Future[list[Finding]]], name: str) -> list[Finding]:
    if name not in judged:
        pytest.skip(lacking({**CLEAN, **KNOWN}[name].server))
    return judged[name].result()


@pytest.mark.parametrize("name", list(CLEAN))
def test_clean_server_trips_nothing(judged: dict[str, Future[list[Finding]]], name: str) -> None:
    _expect(CLEAN[name], _result(judged, name))


@pytest.mark.parametrize("name", list(KNOWN))
def test_known_deviations_are_all_that_is_found(judged: dict[str, Future[list[Finding]]], name: str) -> None:
    _expect(KNOWN[name], _result(judged, name))


def test_http2(tmp_path: Path) -> None:
    """hypercorn over TLS stops FastAPI's generator at RST_STREAM, too; the failed stream ends like a success here as well."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    names = {"ca": tmp_path / "ca.pem", "cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    authority.cert_pem.write_to_path(str(names["ca"]))
    certificate.private_key_pem.write_to_path(str(names["key"]))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(names["cert"]), append=True)
    secure = Foreign(HYPERCORN + "--certfile {cert} --keyfile {key} fastapi_native:app", worker=True, scheme="https")
    case = Case(secure, breaks=NATIVE, target=PROBE)
    found = _judge(case, tmp_path, **names)
    _expect(case, found)
    outcomes = {finding.rule: finding.outcome for finding in found}
    assert outcomes["HTTP-13"] == outcomes["DIS-12"] == "pass"
