"""The `sse` fixture in a team's own tests, run as that team would run it: pytest in a folder of its own."""

from __future__ import annotations

import textwrap

import pytest

from ssegauge.finding import Finding
from ssegauge.fixtures import OpenedStream

pytest_plugins = ["pytester"]

APP = """
    import asyncio, json
    from starlette.applications import Starlette
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

    async def stream(request):
        async def frames():
            for number in range(3):
                yield f"event: tick\\nretry: 1500\\ndata: {json.dumps({'n': number})}\\n\\n"
                await asyncio.sleep(0.01)
            yield "event: done\\ndata: {}\\n\\n"
        return StreamingResponse(frames(), media_type="text/event-stream", headers=HEADERS)

    async def broken(request):
        async def frames():
            yield "event: tick\\ndata: {'n': 1}\\n\\n"
        return StreamingResponse(frames(), media_type="text/plain")

    app = Starlette(routes=[Route("/stream", stream), Route("/broken", broken)])
"""
TESTS = """
    import pytest

    CONTRACT = {"data": "json", "terminal": ("done",), "order": "tick+ done"}

    def test_right(sse):
        stream = sse("/stream", **CONTRACT)
        assert stream.types == ["tick", "tick", "tick", "done"]
        assert stream.verdict == "complete"
        assert stream.events[0].at <= stream.events[-1].at
        stream.assert_order("tick{3} done")
        stream.assert_conforms(levels=("MUST", "SHOULD"), ignore=("HDR-04",))

    def test_wrong_order(sse):
        sse("/stream", **CONTRACT).assert_order("tick{2} done")

    def test_broken(sse):
        sse("/broken", data="json").assert_conforms()
"""


@pytest.mark.parametrize("how", ["ini", "object"])
def test_a_team_tests_its_own_app(pytester: pytest.Pytester, how: str) -> None:
    pytester.makepyfile(their_app=textwrap.dedent(APP), test_theirs=textwrap.dedent(TESTS))
    if how == "ini":
        pytester.makeini("[pytest]\nsse_app = their_app:app\npythonpath = .\n")
    else:
        pytester.makeini("[pytest]\npythonpath = .\n")
        pytester.makeconftest(
            "import pytest, their_app\n@pytest.fixture(scope='session')\ndef sse_target():\n    return their_app.app\n"
        )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*event 2: 'tick' came; here belongs done*"])
    result.stdout.fnmatch_lines(["HDR-01 (MUST) on /broken*"])
    result.stdout.fnmatch_lines(["JSON-07 (MUST) on /broken*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_no_target_is_one_clear_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(sse):\n    sse('/stream')\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*the sse fixture has no target: set sse_app or sse_target*"])


PROFILE = """
    base_url = "http://127.0.0.1:1"

    [[endpoint]]
    name     = "ticks"
    request  = { path = "/stream" }
    data     = "json"
    order    = "tick+ done"
    terminal = ["done"]
"""


def test_a_served_app_keeps_the_profile_that_is_named_beside_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        their_app=textwrap.dedent(APP),
        test_theirs="""
            def test_by_name(sse):
                stream = sse("ticks")
                assert stream.verdict == "complete"
                assert [event.last_event_id for event in stream.events] == [""] * 4
                stream.assert_conforms()

            def test_with_another_order(sse):
                sse("ticks", order="done+").assert_conforms()

            def test_misspelt_key(sse):
                sse("ticks", oder="done")

            def test_misspelt_key_of_a_path(sse):
                sse("/stream", oder="done")

            def test_misspelt_name(sse):
                sse("tick")
        """,
    )
    pytester.makefile(".toml", theirs=textwrap.dedent(PROFILE))
    pytester.makeini("[pytest]\nsse_app = their_app:app\nsse_target = theirs.toml\npythonpath = .\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=4)
    result.stdout.fnmatch_lines(["ORD-07 (MUST) on ticks*"])
    result.stdout.fnmatch_lines(['*sse(*ticks*): unknown key "oder" (did you mean "order"?)'])
    result.stdout.fnmatch_lines(['*sse(*/stream*): unknown key "oder" (did you mean "order"?)'])
    result.stdout.fnmatch_lines(["*a path begins with a slash, and the endpoints with a name are: ticks"])


def test_a_target_on_the_command_line_is_not_replaced_by_the_configured_app(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        their_app=textwrap.dedent(APP),
        test_theirs="def test_it(sse):\n    assert sse('/stream').verdict == 'connect_error'\n",
    )
    pytester.makeini("[pytest]\nsse_app = their_app:app\npythonpath = .\n")
    # port 9 is discard: nobody listens there on a loopback of today
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--sse-target", "http://127.0.0.1:9").assert_outcomes(
        passed=1
    )


def test_an_error_of_the_suite_itself_is_no_green_test(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("ORD-01", "x", "MUST", "error", "a sentence", "its source", reason="the check failed")
    monkeypatch.setattr(OpenedStream, "__init__", lambda self: None)
    monkeypatch.setattr(OpenedStream, "findings", lambda self, **_: [finding])
    with pytest.raises(pytest.fail.Exception, match="ORD-01 could not be judged: the check failed"):
        OpenedStream().assert_conforms()
