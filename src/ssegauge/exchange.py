"""One exchange as it was seen: the request, the response head, every read with its time, how it ended.

Rules judge exchanges and nothing else, so a saved exchange (a *recording*) gives the same verdicts again
without the server. Times are seconds from the first byte of the request sent; they come from a monotonic clock.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ssegauge import text_file
from ssegauge.content_coding import Inflate, inflaters
from ssegauge.errors import UserError
from ssegauge.redaction import redact_headers, redact_url
from ssegauge.verdict import EndKind
from ssegauge.visible import visible

SCHEMA = "ssegauge/recording/1"
Headers = list[tuple[str, str]]


class Read(NamedTuple):
    """Bytes that arrived together, and when (seconds from the first byte of the request)."""

    at: float
    data: bytes


@dataclass(frozen=True)
class Sent:
    """The request as it went out. `body` is None where there was none."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    http_version: str = "1.1"


class Hop(NamedTuple):
    """A redirect that was followed: its status, the address that answered, and where it pointed."""

    status: int
    url: str
    location: str | None


@dataclass
class Exchange:
    """A request and all that came back.

    `wire` holds the raw reads up to the end of the head (HTTP/1 only); `reads` the content with the transfer coding
    removed, one entry for each read that brought some. `framing` is chunked, length, close, none or h2.
    `excess` are bytes that followed the end of the message.
    """

    endpoint: str
    request: Sent
    started: str = ""
    http_version: str = ""
    status: int | None = None
    reason: str = ""
    headers: Headers = field(default_factory=list)
    framing: str = "none"
    connect_s: float | None = None
    first_byte_at: float | None = None
    head_at: float | None = None
    wire: list[Read] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    end: EndKind = "client"
    end_at: float = 0.0
    detail: str = ""
    excess: bytes = b""
    closed_after_end: bool = False
    redirects: list[Hop] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """Every value of the header field `name`, in order, as sent."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """The field's values joined by a comma (RFC 9110 section 5.3), or None where it is absent."""
        values = self.values(name)
        return ", ".join(values) if values else None

    def members(self, name: str) -> list[str]:
        """The members of a list-valued field, in lower case, without parameters' blanks."""
        return [part.strip().lower() for value in self.values(name) for part in value.split(",") if part.strip()]

    @property
    def essence(self) -> str:
        """The MIME type of Content-Type without parameters, in lower case; empty where there is none."""
        values = self.members("content-type")
        return values[-1].split(";")[0].strip() if values else ""

    @property
    def ended_by_server(self) -> bool:
        """The other side ended it: the message is complete, or the connection was cut."""
        return self.end in {"message_end", "eof", "reset"}

    @property
    def raw_body(self) -> bytes:
        """The content as sent, content coding included."""
        return b"".join(read.data for read in self.reads)

    def decoded(self) -> Decoded:
        """The content with its Content-Encoding removed, read by read."""
        return decode_content(self.reads, self.members("content-encoding"))

    def to_json(self, secret_names: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The recording as a JSON object; credentials are redacted, those of `secret_names` (in lower case) too.

        The body of a request may hold them as well, and is left out where the profile names any.
        """
        document = asdict(self)
        document["schema"] = SCHEMA
        document["request"] = {
            "method": self.request.method,
            "url": redact_url(self.request.url, secret_names),
            "headers": redact_headers(self.request.headers, secret_names),
            "body": None if self.request.body is None or secret_names else _b64(self.request.body),
            "http_version": self.request.http_version,
        }
        document["headers"] = redact_headers(tuple(self.headers))
        document["redirects"] = [
            (hop.status, redact_url(hop.url, secret_names), hop.location and redact_url(hop.location, secret_names))
            for hop in self.redirects
        ]
        document["wire"] = []  # the head may carry secrets; content and fields are kept apart
        document["reads"] = [{"at": read.at, "b64": _b64(read.data)} for read in self.reads]
        document["excess"] = _b64(self.excess)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Exchange:
        """The exchange that `to_json` wrote. Raises UserError where the document is none."""
        fault = _fault(document)
        if fault is not None:
            raise UserError(f"{_NONE}: {fault}")
        known = {name: value for name, value in document.items() if name != "schema"}
        sent = dict(known.pop("request"))
        sent["headers"] = tuple((name, value) for name, value in sent["headers"])
        try:
            sent["body"] = None if sent["body"] is None else base64.b64decode(sent["body"], validate=True)
            known["reads"] = [Read(read["at"], base64.b64decode(read["b64"], validate=True)) for read in known["reads"]]
            known["excess"] = base64.b64decode(known["excess"], validate=True)
        except ValueError as error:
            raise UserError(f"{_NONE}: bytes that are not in Base64: {error}") from None
        known["headers"] = [(name, value) for name, value in known["headers"]]
        known["redirects"] = [Hop(*hop) for hop in known["redirects"]]
        known["wire"] = []
        return cls(request=Sent(**sent), **known)


_NONE = "not a recording of ssegauge"


def _fault(document: dict[str, Any]) -> str | None:
    if "schema" not in document:
        return 'it has no "schema"'
    if document["schema"] != SCHEMA:
        return f"its schema is {visible(str(document['schema']))}, not {SCHEMA}"
    error = best_match(_validator().iter_errors(document))
    if error is None:
        return None
    where = ".".join(map(str, error.absolute_path)) or "the document"
    return visible(f"{where}: {error.message}", 300)


@cache
def _validator() -> Draft202012Validator:
    text = resources.files(__package__).joinpath("recording.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def save(exchange: Exchange, path: Path, secret_names: frozenset[str] = frozenset()) -> None:
    """Write the recording whole or not at all, without its credentials."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(exchange.to_json(secret_names), indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def load(path: Path) -> Exchange:
    """The recording in a file. Raises UserError naming the file where it is missing or is none."""
    text = text_file.read(path)
    try:
        document = json.loads(text)
    except RecursionError:
        raise UserError(f"{path}: {_NONE}: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{path}: {_NONE}: not valid JSON ({error})") from None
    if not isinstance(document, dict):
        raise UserError(f"{path}: {_NONE}: it holds no object")
    try:
        return Exchange.from_json(document)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


# -- content coding -------------------------------------------------------------------------------------------------

MAX_DECODED = 2 << 20
"""Bytes of decoded content that are kept: a few KiB of gzip can stand for gigabytes."""


MAX_LINES = 50_000
"""Lines of a stream that are looked at: each becomes an object of its own."""


def line_ends(data: bytes) -> int:
    """Line ends in the bytes, CRLF counted twice: a bound, not a figure."""
    return data.count(b"\n") + data.count(b"\r")


class Decoded(NamedTuple):
    """Content without its coding. `problem` says why decoding stopped, where it did."""

    reads: list[Read]
    problem: str = ""


def decode_content(reads: list[Read], codings: list[str], limit: int = MAX_DECODED) -> Decoded:
    """Undo the content codings (RFC 9110 section 8.4), keeping the time of each read."""
    try:
        made = inflaters(codings)
    except UserError as unknown:
        return Decoded([], str(unknown))
    return _inflate(reads, made, limit) if made else Decoded(reads)


def _inflate(reads: list[Read], made: list[Inflate], limit: int) -> Decoded:
    out: list[Read] = []
    left, lines = limit, 0
    for at, chunk in reads:
        data = chunk
        try:
            for inflate in made:
                data = inflate(data, left + 1)
        except Exception as error:  # noqa: BLE001 - each coding's library has its own error classes
            return Decoded(out, f"not in the announced coding: {error}")
        room = MAX_LINES - lines
        lines += line_ends(data)
        kept = data[:left] if lines <= MAX_LINES else _first_lines(data[:left], room)
        if kept:
            out.append(Read(at, kept))
        left -= len(data)
        if left < 0 or lines > MAX_LINES:
            return Decoded(out, f"decoded content passes {limit} bytes or {MAX_LINES} lines")
    return Decoded(out)


def _first_lines(data: bytes, count: int) -> bytes:
    ends = islice(re.finditer(rb"[\r\n]", data), max(count, 0))
    return data[: max((end.end() for end in ends), default=0)]


def offsets(reads: list[Read]) -> Iterator[tuple[int, float]]:
    """For each read the offset of the byte after its last, and its time."""
    total = 0
    for at, data in reads:
        total += len(data)
        yield total, at
