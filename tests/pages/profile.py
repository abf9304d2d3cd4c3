"""docs/reference/profile.md: every key of a profile, by the models that read it."""

from __future__ import annotations

from pydantic import BaseModel

from ssegauge.profile import Metrics, Probe, Profile, Target
from ssegauge.profile.endpoint import Broadcast, Endpoint, Reflect, Resume
from ssegauge.profile.places import Discriminator, Place, Progress, SentAt, Tokens
from ssegauge.profile.presets import PRESETS
from ssegauge.profile.request import Input, Overlay

HEAD = """\
# The profile

A TOML file that says what a target promises; `ssegauge init URL` begins one, and [how to write one](../how-to/write-a-profile.md) goes through it. Every key is optional but `base_url` and one `[[endpoint]]` with a `name`. What a profile does not declare is not judged: those rules are `not_declared`. A key that is not known is refused, with file, line, and the nearest known one.

This page is written from the models in `src/ssegauge/profile/` by `python -m tests.pages`; a test holds it to them.

Kinds of values:

| kind | |
|---|---|
| duration | `"500ms"`, `"30s"`, `"2m"`, `"1h"`, or a number of seconds |
| pointer | a JSON pointer (RFC 6901): `"/a/0/b"` |
| place | `{ pointer = "/a" }`: a place in an event's JSON payload |
| overlay | `method`, `path`, `headers`, `params`, and `json` or `data`, laid over the endpoint's `request`: headers, params and JSON objects are merged, other keys replaced |
| address | a path below `base_url`, or a whole URL |
| `env:NAME` | as the value of a header, a parameter, or inside a JSON body (also `"Bearer env:NAME"`): the environment's value. It is masked wherever results are shown |
"""
# A row: what is to be written there, and what it means. Keys as they stand in the file.
TEXTS: dict[type[BaseModel], dict[str, tuple[str, str]]] = {
    Profile: {
        "base_url": ("URL", "where the target is; it ends before `?` and `#`. With `--app` the app's own address stands in its place"),
        "endpoint": ("tables", "`[[endpoint]]`, one for each stream"),
        "probe": ("table", "`[probe]`: how the target shows what still runs"),
        "target": ("table", "`[target]`: what is known of the server as a whole"),
    },
    Endpoint: {
        "name": ("text", 'tells endpoints apart in results, on the command line, and in `sse("name")`'),
        "preset": ("text", "the contract of a well-known stream (below); what the profile says itself goes before it"),
        "request": ("overlay", "the request; GET / where nothing is said. `{unique}` in it is another value in each request of a check"),
        "data": ('`"json"` or `"text"`', "what the payloads are. `json`: every payload is one JSON document, `terminal_data` apart"),
        "order": ("text", "a regular expression over event types: `thought+ status token+ complete`. Words follow one another; `\\|` chooses, `( )` groups, `* + ? {m} {m,n}` repeat, `.` is any one event; a type with other letters than `A-Z a-z 0-9 . _ - : /` stands in double quotes. An event without a name is `message`"),
        "terminal": ("list of types", "the event that ends a stream: exactly one, and last"),
        "terminal_data": ("list of texts", 'payloads that end a stream, as `"[DONE]"`'),
        "terminal_when": ("place", "an event ends the stream where something stands there (not null, false, zero or empty)"),
        "errors": ("list of types", "events that report a failure, in the terminal's place"),
        "error_when": ("place, or a list", "an event reports a failure where something stands there"),
        "ignore": ("list of types", "events outside of the contract, as keepalives with a name; no rule on order or payload sees them"),
        "primer": ("true or false", "the stream may begin with an event that has an id and empty data, to give the client an id to come back with"),
        "progress": ("table", "where progress is told: it never goes back, stays in range, and reaches its end before success"),
        "sequence": ("place", "a number that grows by one from event to event; by it lost, doubled and reordered events are counted"),
        "sent_at": ("table", "where an event says when it was sent; gives `lag` under load, and lets the rules on buffering judge"),
        "schema": ("table", "type to JSON Schema: a file beside the profile, or the schema itself as a table"),
        "first_match": ("list of types", "events whose first is timed as `first_match`: the first token, say"),
        "first_match_when": ("place", "the same, by what stands in the payload"),
        "tokens": (
            "table",
            "where the server says how many tokens the stream has had; without it each event of a `first_match` type is one",
        ),
        "goodput": (
            "table",
            'a time of a stream to a duration: the limits within which a stream is a good one, as in `{ first_match = "500ms", time_per_token = "50ms" }`; see [streams of language models](../llm.md)',
        ),
        "deadline": ("duration", "in which the stream has ended; without it a stream is watched for `--window` seconds"),
        "group": ("place", "the part that an event belongs to, where parts interleave: `order` then holds for each part"),
        "discriminator": ("table", "the payload's own name of the event type; it equals the `event` field"),
        "lifetime": ("duration", "a stream may be expected to live that long (judged with `--long`)"),
        "reflect": ("table", "inputs whose text comes back: what injection and round trips are judged by"),
        "resume": ("table", "the stream goes on behind the last id that the client has"),
        "broadcast": ("table", "the endpoint is a feed that all its clients share"),
        "other_methods": ("list of methods", "not offered, and harmless to send: they are to be answered 405 or 501"),
        "http2": ("true or false", "the target speaks HTTP/2; a load run opens its streams so"),
        "echo": ("true or false", "keeps the [echo contract](../echo-contract.md)"),
        "fault": ("overlay", "a request that fails after the stream has started. A number in it is taken as that of the events before the failure"),
        "invalid": ("overlay", "a request that is refused before the stream starts"),
        "idle": ("overlay", "a stream that stays open and silent"),
        "slow_start": ("overlay", "a stream whose first event comes late"),
        "endless": ("overlay", "a stream that always has more to send"),
    },
    Overlay: {
        "method": ("text", "GET, POST, …"),
        "path": ("text", "begins with a slash; may hold a query. Or a whole URL"),
        "headers": ("table", "name to value"),
        "params": ("table", "query parameters: text, numbers, true, false, or lists of these"),
        "json": ("any", "the body, as JSON"),
        "data": ("text", "the body as it is; not beside `json`"),
    },
    Progress: {
        "event": ("text", "the type that tells it; any, where it is not named"),
        "pointer": ("pointer", "where the number stands"),
        "range": ("two numbers", "start and end; 0 and 100 where nothing is said"),
    },
    Place: {"pointer": ("pointer", "the place")},
    Discriminator: {
        "pointer": ("pointer", "the place"),
        "names": ("true or false", "clients go by what stands there: it names an event that has no name. JSON-06 tells of such events, and their order, terminal and errors are judged all the same"),
    },
    Tokens: {
        "pointer": ("pointer", "where the number stands"),
        "less": ("pointer", "where it says how many of them were not sent: a model's reasoning, say"),
    },
    SentAt: {
        "pointer": ("pointer", "where the time stands"),
        "unit": ('`"ns"` `"us"` `"ms"` `"s"` `"iso"`', "since the Unix epoch, or an ISO 8601 time with its zone; `ns` where nothing is said"),
    },
    Reflect: {
        "data": ("table", "the input that comes back in an event's data"),
        "event": ("table", "the input that comes back as its type"),
        "id": ("table", "the input that comes back as its id"),
    },
    Input: {
        "params": ("text", "a query parameter of that name …"),
        "json": ("pointer", "… or a place in the JSON body …"),
        "header": ("text", "… or a header field: exactly one of the three"),
    },
    Resume: {
        "from": ("text", "the header field that bears the id: `Last-Event-ID`"),
        "method": ("text", "the method of a request that resumes, where it is another than the request's"),
    },
    Broadcast: {"publish": ("overlay", "the request that feeds it; POST where nothing is said")},
    Probe: {
        "url": ("address", "a status page in JSON …"),
        "active_streams": ("pointer", "… and where the number of active streams stands in it"),
        "pid": ("number", "or: the process id, on this host"),
        "metrics": ("table", "or: a gauge in the Prometheus text format"),
    },
    Metrics: {
        "url": ("address", "the page; `/metrics` where nothing is said"),
        "name": ("text", "the metric; samples of several labels are added up"),
    },
    Target: {
        "health": ("address", "an ordinary address of the same server: asked beside open streams, and after what might hurt"),
        "proxied": ("URL", "the same target behind its proxy; `--proxied` on the command line"),
        "origins": ("list of origins", "who may read the streams from a browser"),
        "credentials": ("table", '`headers` and `params` that prove who asks: `{ headers = { Authorization = "Bearer env:API_TOKEN" } }`'),
        "second_identity": ("table", "the same for somebody else: whose streams must stay apart from the first one's"),
        "control": ("true or false", "it may be signalled, stopped and started; always so with `--app`"),
        "ca": ("file", "certificate authorities to trust, beside the profile"),
        "cert": ("file", "client certificate"),
        "key": ("file", "its key"),
        "insecure": ("true or false", "any TLS certificate will do"),
        "secrets": ("list of names", "further headers and parameters whose values are masked in results"),
    },
}  # fmt: skip
PLACES: dict[type[BaseModel], str] = {
    Profile: "The file",
    Endpoint: "`[[endpoint]]`",
    Overlay: "`request`, `fault`, `invalid`, `idle`, `slow_start`, `endless`, `publish`",
    Place: "`sequence`, `group`, `terminal_when`, `error_when`, `first_match_when`",
    Discriminator: "`discriminator`",
    Progress: "`progress`",
    SentAt: "`sent_at`",
    Tokens: "`tokens`",
    Reflect: "`reflect`",
    Input: "`reflect.data`, `reflect.event`, `reflect.id`",
    Resume: "`resume`",
    Broadcast: "`broadcast`",
    Probe: "`[probe]`",
    Metrics: "`probe.metrics`",
    Target: "`[target]`",
}
NOT_IN_A_FILE = {"source"}


def keys(model: type[BaseModel]) -> list[str]:
    """The model's keys as they stand in a profile."""
    named = [field.alias or name for name, field in model.model_fields.items()]
    return [name for name in named if name not in NOT_IN_A_FILE]


def page() -> str:
    parts = [HEAD]
    for model, place in PLACES.items():
        parts.append(f"## {place}\n")
        rows = ["| `{}` | {} | {} |".format(key, *TEXTS[model].get(key, ("", ""))) for key in keys(model)]
        parts.append("\n".join(["| key | kind | means |", "|---|---|---|", *rows]) + "\n")
    parts.append('## Presets\n\n`preset = "NAME"` in an endpoint, or `--preset NAME` beside a URL, stands for:\n')
    for name, preset in PRESETS.items():
        lines = [f"{key} = {_toml(value)}" for key, value in preset.items()]
        parts.append(f"### {name}\n\n```toml\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
