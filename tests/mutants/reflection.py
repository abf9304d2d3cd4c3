"""Mutants of text that comes back."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator

from .message import Call, block
from .server import Clean


class _Echo(Clean):
    """Echoes `written(text)` as the block's text."""

    endpoint = "echo"

    def written(self, text: str) -> str:
        return text

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        changed = Call(**{**vars(call), "query": {**call.query, "text": self.written(call.query.get("text", "hello"))}})
        async for frame in super().echo(changed):
            yield frame


class NormalisesUnicode(_Echo):
    """Composes what it was sent."""

    rule = "ENC-07"

    def written(self, text: str) -> str:
        return unicodedata.normalize("NFC", text)


class JoinsInnerLines(_Echo):
    """Makes one line of two."""

    rule = "FRM-02"

    def written(self, text: str) -> str:
        return re.sub(r"(?<=[^\r\n])(\r\n|\n)(?=[^\r\n])", " ", text)


class StripsTrailingNewline(_Echo):
    """Drops the last newline, as many line splitters do."""

    rule = "FLD-09"

    def written(self, text: str) -> str:
        return text.removesuffix("\n")


class StripsSpaces(_Echo):
    """Trims blanks."""

    rule = "FLD-10"

    def written(self, text: str) -> str:
        return text.strip(" \t")


class SplitsOnU2028(_Echo):
    """Splits lines the way Python does."""

    rule = "FLD-15"

    def written(self, text: str) -> str:
        return re.sub("[\u2028\u2029\u0085]", "\n", text)


class RawDataNewlines(Clean):
    """Writes LF behind `data: ` as it is, and splits at CR alone."""

    rule = "SEC-01"
    endpoint = "echo"

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        text = call.query.get("text", "hello").replace("\r\n", "\n")
        lines = "\ndata: ".join(text.split("\r"))
        yield f"retry: 1500\nevent: {call.query.get('name', 'echo')}\ndata: {lines}\n\n".encode()
        yield block("bye", event="done", id="end")


class InjectViaEvent(Clean):
    """Splits data well, and trusts the event's name."""

    rule = "SEC-02"
    endpoint = "echo"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        kept = {name: value for name, value in call.query.items() if name != "name"}
        return super().refusal(Call(**{**vars(call), "query": kept}))


class CrBypass(Clean):
    """Splits at LF alone."""

    rule = "SEC-03"
    endpoint = "echo"

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        lines = [f"data: {line}" for line in call.query.get("text", "hello").replace("\r\n", "\n").split("\n")]
        mark = [f"id: {call.query['mark']}"] if call.query.get("mark") else []
        head = ["retry: 1500", f"event: {call.query.get('name', 'echo')}", *mark]
        yield ("\n".join([*head, *lines]) + "\n\n").encode()
        yield block("bye", event="done", id="end")


class HeaderSplit(Clean):
    """Puts the text into a header field."""

    rule = "SEC-04"
    endpoint = "echo"

    def stream_headers(self, call: Call) -> dict[str, str]:
        text = call.query.get("text", "").encode("latin-1", "replace").decode("latin-1")[:1000]
        return {**super().stream_headers(call), "X-Query": text if "ssegauge-pwn" in text.lower() else "-"}


class DiesOnNewline(Clean):
    """Raises in the generator when a name has a line end."""

    rule = "SEC-08"
    endpoint = "echo"

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        kept = {name: value for name, value in call.query.items() if name not in {"name", "mark"}}
        return super().refusal(Call(**{**vars(call), "query": kept}))

    async def echo(self, call: Call) -> AsyncIterator[bytes]:
        if any(character in call.query.get(name, "") for name in ("name", "mark") for character in "\r\n\0"):
            return
        await asyncio.sleep(0)
        async for frame in super().echo(call):
            yield frame


MUTANTS: dict[str, type[Clean]] = {
    "normalises-unicode": NormalisesUnicode,
    "joins-inner-lines": JoinsInnerLines,
    "strips-trailing-newline": StripsTrailingNewline,
    "strips-spaces": StripsSpaces,
    "splits-on-u2028": SplitsOnU2028,
    "raw-data-newlines": RawDataNewlines,
    "inject-via-event": InjectViaEvent,
    "cr-bypass": CrBypass,
    "header-split": HeaderSplit,
    "dies-on-newline": DiesOnNewline,
}
