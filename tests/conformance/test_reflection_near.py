"""Servers that send text back in a way of their own, and rightly so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from ssegauge.exchange import Sent
from ssegauge.means import curl, reflection
from tests.mutants.contract import PROFILE
from tests.mutants.host import Host
from tests.mutants.message import Call, block
from tests.mutants.server import Clean

from .near import held, outcome, outcomes

TEXT_RULES = ("ENC-07", "FRM-02", "FLD-09", "FLD-10", "FLD-15", "SEC-01", "SEC-03", "SEC-08")
AS_JSON = PROFILE.replace('data     = "text"\norder    = "echo done"', 'data     = "json"')


class Embedded(Clean):
    """Answers about the text, as agents do: within a sentence, then word by word, with times that change."""

    endpoint = "echo"
    profile = AS_JSON
    ascii = True

    def sentence(self, text: str) -> str:
        return f"Analyzing query: {text} (one moment)"

    def refusal(self, call: Call):
        return super().refusal(Call(**{**vars(call), "query": {"text": call.query.get("text", "")}}))

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        text = call.query.get("text", "hello")
        first = {"progress": [{"message": self.sentence(text)}], "run": self.opened}
        yield block(json.dumps(first, ensure_ascii=self.ascii), event="thought", retry=1500)
        for word in text.split():
            yield block(json.dumps({"token": word}, ensure_ascii=self.ascii), event="token")
        yield block(json.dumps({"ok": True}), event="done", id="end")


class EmbeddedAsUtf8(Embedded):
    ascii = False


class NormalisesLineEnds(Embedded):
    def sentence(self, text: str) -> str:
        return super().sentence(reflection.with_lf(text))


class SentenceInText(Clean):
    endpoint = "echo"

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        text = call.query.get("text", "hello")
        name, mark = call.query.get("name", "echo"), call.query.get("mark", "")
        yield block(f"You said {text}. Thank you.", event=name, id=mark, retry=1500)
        yield block("bye", event="done", id="end")


class TrimsInOnePlace(Embedded):
    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        yield block(json.dumps({"title": call.query.get("text", "").strip()}), event="title", retry=1500)
        async for frame in super().echo(call):
            yield frame


@pytest.mark.parametrize("kind", [Embedded, EmbeddedAsUtf8, NormalisesLineEnds, SentenceInText, TrimsInOnePlace])
def test_text_may_come_back_within_something_else(host: Host, kind: type[Clean]) -> None:
    held(host, kind(), *TEXT_RULES)


def test_what_is_lost_inside_of_json_is_seen(host: Host) -> None:
    class Drops(Embedded):
        def sentence(self, text: str) -> str:
            return super().sentence(text.rstrip("\n"))

    assert outcome(host, Drops(), "FLD-09") == "fail"
    assert outcome(host, Drops(), "FRM-02") == "pass"


class Shouts(Embedded):
    def sentence(self, text: str) -> str:
        return super().sentence(text).upper()

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        call.query["text"] = call.query.get("text", "").upper()
        async for frame in super().echo(call):
            yield frame


class WordByWord(Embedded):
    def sentence(self, text: str) -> str:
        return "Analyzing"


@pytest.mark.parametrize("kind", [Shouts, WordByWord])
def test_text_that_comes_back_nowhere_cannot_be_judged(host: Host, kind: type[Clean]) -> None:
    found = outcomes(host, kind(), "FRM-02", "SEC-01", "ENC-07")
    assert [text.partition(":")[0] for text in found.values()] == ["untestable"] * 3
    assert "ssegauge7Marker" in found["FRM-02"]


class Refuses(Embedded):
    def refusal(self, call: Call):
        return (422, {}) if any(end in call.query.get("text", "") for end in "\r\n\0") else super().refusal(call)


def test_a_server_may_refuse_what_it_does_not_take(host: Host) -> None:
    found = outcomes(host, Refuses(), *TEXT_RULES)
    assert {rule: text.partition(":")[0] for rule, text in found.items()} == {
        "ENC-07": "pass", "FRM-02": "untestable", "FLD-09": "untestable", "FLD-10": "pass", "FLD-15": "pass",
        "SEC-01": "pass", "SEC-03": "untestable", "SEC-08": "pass",
    }  # fmt: skip


class RemovesLineEnds(Clean):
    """Cleans names and ids where it writes them."""

    endpoint = "echo"

    async def stream(self, call: Call, peer) -> bool:
        for name in ("name", "mark"):
            if name in call.query:
                call.query[name] = call.query[name].translate({10: None, 13: None, 0: None})
        return await super().stream(call, peer)


def test_line_ends_may_be_removed_from_names_and_ids(host: Host) -> None:
    held(host, RemovesLineEnds(), "SEC-02", "SEC-04", "SEC-08")


def test_a_server_error_is_no_answer_to_a_hostile_text(host: Host) -> None:
    class Breaks(Clean):
        endpoint = "echo"

        def refusal(self, call: Call):
            return (500, {}) if "\0" in call.query.get("text", "") else super().refusal(call)

    found = outcomes(host, Breaks(), "SEC-08")["SEC-08"]
    assert "status 500" in found
    assert "curl -N" in found


def test_a_header_field_cannot_carry_line_ends(host: Host) -> None:
    class InHeader(Clean):
        endpoint = "echo"
        profile = PROFILE.replace('data = { params = "text" }', 'data = { header = "X-Text" }')

        async def stream(self, call: Call, peer) -> bool:
            if "x-text" in call.headers:
                call.query["text"] = call.headers["x-text"]
            return await super().stream(call, peer)

    found = outcomes(host, InHeader(), "FRM-02", "FLD-10", "SEC-08")
    assert found["FRM-02"].startswith("untestable: reflect.data is a header field")
    assert found["FLD-10"] == "pass"
    assert found["SEC-08"] == "pass"


def test_curl_commands_can_be_pasted() -> None:
    sent = Sent(
        "POST", "http://h/x?a=b%0A", (("Content-Type", "application/json"), ("Authorization", "s")), b'{"a":"it\'s"}'
    )
    assert curl.command(sent) == (
        """curl -N -H 'Content-Type: application/json' -H 'Authorization: ***' --data-binary '{"a":"it'"'"'s"}' 'http://h/x?a=b%0A'"""
    )
    assert curl.command(Sent("GET", "http://h/x")) == "curl -N http://h/x"
    assert curl.command(Sent("PUT", "http://h/x", (), b"")) == "curl -N -X PUT --data-binary '' http://h/x"
