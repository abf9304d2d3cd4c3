import json
import random
import textwrap
import tomllib

import pytest

from ssegauge import toml_lines
from ssegauge.order import Order
from ssegauge.profile import (
    Endpoint,
    Overlay,
    ProfileError,
    Request,
    from_url,
    load,
    open_target,
    pointer,
    resolved,
    secret,
)
from ssegauge.profile.fields import duration
from ssegauge.profile.pointer import MISSING
from ssegauge.profile.presets import PRESETS
from ssegauge.profile.request import Input
from ssegauge.rules import NEEDS

DESIGN = """
base_url = "http://127.0.0.1:8000"

[[endpoint]]
name     = "agent-think"
request  = { method = "GET", path = "/agent/think/stream", params = { query = "What is SSE" } }
data     = "json"
order    = "thought+ status token+ complete"
terminal = ["complete"]
errors   = ["error"]
ignore   = ["ping"]
progress = { event = "progress", pointer = "/progress", range = [0, 100] }
sequence = { pointer = "/seq" }
sent_at  = { pointer = "/sent_ns", unit = "ns" }
schema   = { token = "schemas/token.json" }
first_match = ["token"]
deadline = "30s"
group    = { pointer = "/index" }
discriminator = { pointer = "/type" }
lifetime = "2m"
reflect  = { data = { params = "query" } }
resume   = { from = "Last-Event-ID" }
broadcast = { publish = { method = "POST", path = "/publish" } }
other_methods = ["PUT"]
fault      = { params = { fail_after = 3 } }
invalid    = { params = { query = "" } }
idle       = { path = "/idle" }
slow_start = { params = { first_after = 2 } }
endless    = { path = "/ticks" }

[probe]
url = "/_probe"
active_streams = "/active_streams"

[target]
health  = "/"
proxied = "http://127.0.0.1:8080"
origins = ["https://app.example"]
credentials     = { headers = { Authorization = "env:API_TOKEN" } }
second_identity = { headers = { Authorization = "env:OTHER_TOKEN" } }
control = true
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "sse-target.toml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


@pytest.fixture
def design(written, tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "token.json").write_text('{"type": "object", "required": ["text"]}')
    return load(written(DESIGN))


def test_the_profile_of_the_design_is_read_as_it_stands(design):
    endpoint = design.endpoint[0]
    assert design.base_url == "http://127.0.0.1:8000"
    assert endpoint.request.params == {"query": "What is SSE"}
    assert endpoint.grammar == Order.compile("thought+ status token+ complete")
    assert (endpoint.deadline, endpoint.lifetime) == (30.0, 120.0)
    assert endpoint.progress.range == (0, 100)
    assert endpoint.resume.header == "Last-Event-ID"
    assert endpoint.broadcast.publish.path == "/publish"
    assert (design.probe.url, design.probe.active_streams) == ("/_probe", "/active_streams")
    assert design.target.control
    assert design.target.credentials == {"headers": {"Authorization": "env:API_TOKEN"}}


def test_an_endpoint_declares_the_needs_of_the_catalogue(design):
    declared = design.endpoint[0].declares
    of_the_run = {"url", "raw", "timing", "long", "h2", "tls", "load", "probe", "pid", "control", "drop"}
    of_the_target = {"proxied", "origins", "credentials", "second_identity", "health"}
    elsewhere = {"terminal_data", "echo", "reflect.event", "reflect.id", "method=POST"}
    assert set(NEEDS) - of_the_run - of_the_target - elsewhere <= declared
    assert declared & elsewhere == set()
    assert declared - set(NEEDS) == {"method=GET", "first_match", "sent_at"}


def test_nothing_declared_is_nothing_but_the_method():
    assert from_url("http://h/x").endpoint[0].declares == {"method=GET"}


def test_a_situation_is_the_request_with_its_overlay(design):
    endpoint = design.endpoint[0]
    fault = endpoint.situation("fault")
    assert (fault.path, fault.params) == ("/agent/think/stream", {"query": "What is SSE", "fail_after": 3})
    assert endpoint.situation("idle").path == "/idle"
    with pytest.raises(LookupError):
        from_url("http://h/x").endpoint[0].situation("fault")


def test_an_overlay_merges_what_has_names_and_replaces_the_rest():
    request = Request(headers={"Accept": "a", "X-One": "1"}, json={"a": 1, "b": 2})
    laid = request.overlaid(Overlay(method="post", headers={"accept": "b"}, json={"b": 3}))
    assert laid == Request(method="POST", headers={"X-One": "1", "accept": "b"}, json={"a": 1, "b": 3})
    assert laid.overlaid(Overlay(data="x")).json_body is None
    assert laid.overlaid(Request.overlay(json=[1])).json_body == [1]


E = '[[endpoint]]\nname = "a"\n'
MISTAKES = [
    ("unknown key", E + 'terminals = ["x"]', 4, 'endpoint "a": unknown key "terminals" (did you mean "terminal"?)'),
    ("unknown key inside", E + "request = { parms = { } }", 4, 'request: unknown key "parms" (did you mean "params"?)'),
    ("unknown key at the top", E + "\n[targt]\nx = 1", 5, 'unknown key "targt" (did you mean "target"?)'),
    ("unknown key of an identity", E + "[target]\ncredentials = { header = { } }", 5, '(did you mean "headers"?)'),
    ("misspelt name", '[[endpoint]]\nnam = "a"', 3, 'endpoint 1: unknown key "nam" (did you mean "name"?)'),
    ("no name", '[[endpoint]]\ndata = "json"', 2, 'endpoint 1: missing key "name"'),
    (
        "the second endpoint",
        E + '[[endpoint]]\nname = "b"\ndata = "xml"',
        6,
        "endpoint \"b\": data: expected 'json' or 'text'",
    ),
    ("the same name", E + E, 5, "another endpoint has the same name"),
    ("no endpoint", "", 1, "declares no endpoint"),
    ("one bracket", '[endpoint]\nname = "a"', 2, "two brackets"),
    ("text for a list", E + 'terminal = "x"', 4, "terminal: expected a list, found text"),
    ("number for text", E + "first_match = [\n  1]", 5, "first_match[0]: expected text in quotes, found a number"),
    ("number for true", E + "http2 = 1", 4, "http2: expected true or false, found a number"),
    ("order", E + 'order = "a (b"', 4, "order: column 3: this ( is never closed"),
    ("order in dotted table", E + '\n[endpoint.request]\nmethod = "G T"', 6, 'request.method: "G T" is no HTTP method'),
    ("header of two lines", E + 'request = { headers = { A = "x\\ny" } }', 4, "stands on one line"),
    ("path", E + 'request = { path = "x" }', 4, 'write "/x"'),
    ("parameter", E + "request = { params = { q = { } } }", 4, "request.params.q: a query parameter is"),
    ("two bodies", E + 'request = { json = { }, data = "" }', 4, "one body"),
    ("duration", E + 'deadline = "30"', 4, 'deadline: "30" is no duration'),
    ("no duration", E + "deadline = 0", 4, "more than nothing"),
    ("pointer", E + 'sequence = { pointer = "seq" }', 4, 'write "/seq"'),
    ("pointer's escape", E + 'sequence = { pointer = "/a~2" }', 4, "no JSON pointer"),
    ("group alone", E + 'group = { pointer = "/i" }', 4, "group: needs order"),
    ("terminal ignored", E + 'ignore = ["p"]\nterminal = [\n"x",\n"p"]', 7, 'terminal: "p" stands under ignore'),
    ("error ignored", E + 'ignore = ["p"]\nerrors = ["p"]', 5, 'errors: "p" stands under ignore'),
    ("pointer into text", E + 'data = "text"\nsequence = { pointer = "/s" }', 5, 'data = "text"'),
    ("range", E + 'progress = { pointer = "/p", range = [9, 1] }', 4, "the first number is the smaller"),
    ("reflect twice", E + 'reflect = { data = { params = "q", header = "X" } }', 4, "exactly one of"),
    ("own method", E + 'other_methods = ["GET"]', 4, "the method of the request itself"),
    ("schema file", E + 'schema = { x = "none.json" }', 4, 'schema.x: the schema file "'),
    ("inline schema", E + "schema = { x = { type = 3 } }", 4, "no valid JSON Schema"),
    ("preset", E + 'preset = "openai"', 4, 'did you mean "openai-chat"?'),
    ("probe", E + "[probe]", 4, "shows nothing"),
    ("half a probe", E + '[probe]\nurl = "/p"', 4, 'missing key "active_streams"'),
    ("origin", E + '[target]\norigins = ["app.example"]', 5, "no origin"),
    ("certificate", E + '[target]\nca = "none.pem"', 5, "target.ca: there is no file"),
    ("syntax", E + "a = ", 4, "not valid TOML: "),
    ("source", E + 'x = 1\n[probe]\npid = "x"', 4, 'unknown key "x"'),
]


@pytest.mark.parametrize(("text", "line", "words"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line_with_file_line_key_and_mend(written, text, line, words):
    file = written('base_url = "http://h"\n' + text)
    with pytest.raises(ProfileError) as caught:
        load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}:{line}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "url", ["h:80", "ftp://h", "http://", "http://h/?q", "http://u:p@h", "http://h h", "http://h:99999"]
)
def test_a_base_url_that_is_none_is_told_so(written, url):
    with pytest.raises(ProfileError, match=r":1: base_url: "):
        load(written(f'base_url = "{url}"\n' + E))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "it is not an object"),
        ('{"type": 3}', "is no valid JSON Schema"),
        ('{"$ref": "#/$defs/gone"}', "a reference that leads nowhere"),
        ('{"$ref": "http://127.0.0.1:9/x.json"}', "a reference that leads nowhere"),
    ],
)
def test_a_bad_schema_file_is_one_line(written, tmp_path, content, words):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(ProfileError, match=r"^[^\n]*:4: endpoint \"a\": schema\.x: [^\n]*$") as caught:
        load(written('base_url = "http://h"\n' + E + 'schema = { x = "s.json" }'))
    assert words in str(caught.value)


def test_schemas_validate_and_may_refer_to_their_neighbours(written, tmp_path):
    (tmp_path / "text.json").write_text('{"type": "string"}')
    (tmp_path / "s.json").write_text('{"properties": {"text": {"$ref": "text.json"}}}')
    endpoint = load(written('base_url = "http://h"\n' + E + 'schema = { token = "s.json" }')).endpoint[0]
    assert endpoint.validator("token").is_valid({"text": "x"})
    assert not endpoint.validator("token").is_valid({"text": 1})
    assert endpoint.validator("other") is None


@pytest.mark.parametrize("make", ["missing", "folder", "latin-1"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, make):
    file = tmp_path / "p.toml"
    if make == "folder":
        file.mkdir()
    elif make == "latin-1":
        file.write_bytes('base_url = "é"'.encode("latin-1"))
    with pytest.raises(ProfileError, match=r"p\.toml: [^\n]+$"):
        load(file)


def test_secrets_come_late_from_the_environment_and_are_never_shown(written, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "s3cret")
    profile = load(
        written(f'base_url = "http://h"\n{E}[target]\ncredentials = {{ headers = {{ X-Key = "env:API_TOKEN" }} }}')
    )
    assert secret("env:API_TOKEN") == "s3cret"
    assert secret("Bearer env:API_TOKEN") == "Bearer s3cret"
    assert secret("environment:x") == "environment:x"
    assert resolved({"a": ["env:API_TOKEN", 1, None]}) == {"a": ["s3cret", 1, None]}
    assert "s3cret" not in repr(profile)
    assert "x-key" in profile.secret_names


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("API_TOKEN", raising=False)
    with pytest.raises(ProfileError, match="the environment variable API_TOKEN is not set"):
        secret("env:API_TOKEN")


def test_a_bare_url_is_a_profile_with_one_endpoint():
    profile = from_url("http://h:8000/stream?q=1#part", headers=["X-A: b: c"])
    endpoint = profile.endpoint[0]
    assert (profile.base_url, endpoint.name) == ("http://h:8000", "/stream")
    assert endpoint.request == Request(path="/stream?q=1", headers={"X-A": "b: c"})
    assert from_url("https://h").endpoint[0].name == "/"
    assert from_url("http://[::1]:80/x").base_url == "http://[::1]:80"


def test_a_body_makes_the_request_a_post():
    assert from_url("http://h/x", json='{"a": 1}').endpoint[0].request == Request(
        method="POST", path="/x", json={"a": 1}
    )
    assert from_url("http://h/x", data="a=1").endpoint[0].request == Request(method="POST", path="/x", data="a=1")
    assert from_url("http://h/x", method="put", data="").endpoint[0].request.method == "PUT"


def test_a_password_in_the_url_becomes_a_header_and_is_not_shown():
    profile = from_url("http://u:p%40ss@h/x")
    assert profile.target.credentials == {"headers": {"Authorization": "Basic dTpwQHNz"}}
    assert "ss@" not in repr(profile) + profile.source + profile.base_url


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": "localhost:8000/x"}, "write http://localhost:8000/x"),
        ({"url": "http://a b"}, "space"),
        ({"url": "http://h", "json": "{"}, "--json: not valid JSON"),
        ({"url": "http://h", "headers": ["a"]}, 'expected "Name: value"'),
        ({"url": "http://h", "headers": ["a b: c"]}, "--header: "),
        ({"url": "http://h", "method": "a b"}, "--method: "),
        ({"url": "http://h", "preset": "openai-chatt"}, 'did you mean "openai-chat"?'),
        ({"url": "http://h", "json": "1", "data": "x"}, "one body"),
    ],
)
def test_a_mistake_on_the_command_line_names_the_option(arguments, words):
    with pytest.raises(ProfileError, match=r"^[^\n]+$") as caught:
        from_url(**arguments)
    assert words in str(caught.value)


def test_a_target_is_a_url_or_a_file(written):
    file = written('base_url = "http://h"\n' + E)
    assert open_target(str(file)).endpoint[0].name == "a"
    assert open_target("http://h/x", preset="openai-chat").endpoint[0].terminal_data == ("[DONE]",)
    with pytest.raises(ProfileError, match="--header goes with a URL"):
        open_target(str(file), headers=["A: b"], method=None)
    with pytest.raises(ProfileError, match="neither a URL"):
        open_target("nothing")
    with pytest.raises(ProfileError, match="there is no such file"):
        open_target("gone.toml")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_an_endpoint_and_gives_way_to_what_the_profile_says(written, name):
    endpoint = load(written(f'base_url = "http://h"\n{E}preset = "{name}"\nterminal = ["mine"]')).endpoint[0]
    assert endpoint.terminal == ("mine",)
    assert {"order", "terminal", "errors"} <= endpoint.declares


STREAMS = {
    "openai-chat": ["message"] * 4,
    "anthropic-messages": [
        ("message_start", None), ("content_block_start", 0), ("content_block_delta", 0), ("content_block_stop", 0),
        ("content_block_start", 1), ("content_block_delta", 1), ("content_block_stop", 1), ("message_delta", None),
        ("message_stop", None),
    ],
    "openai-responses": [
        ("response.created", None), ("response.in_progress", None), ("response.output_item.added", 0),
        ("response.output_item.added", 1), ("response.content_part.added", 1), ("response.output_text.delta", 1),
        ("response.output_item.done", 0), ("response.output_item.done", 1), ("response.completed", None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_the_documented_stream_keeps_its_preset(name):
    order = Order.compile(PRESETS[name]["order"])
    events = [event if isinstance(event, tuple) else (event, None) for event in STREAMS[name]]
    for indices in order.parts(events).values():
        assert order.deviation(events[index][0] for index in indices) is None


def test_a_block_that_is_not_closed_breaks_the_anthropic_order():
    order = Order.compile(PRESETS["anthropic-messages"]["order"])
    events = [event for event in STREAMS["anthropic-messages"] if event != ("content_block_stop", 1)]
    parts = order.parts(events)
    assert order.deviation(events[index][0] for index in parts[0]) is None
    assert order.deviation(events[index][0] for index in parts[1]) is not None


def test_an_error_may_hide_in_the_payload():
    endpoint = from_url("http://h/x", preset="openai-chat").endpoint[0]
    assert endpoint.is_error("message", '{"error": {"message": "overloaded"}}')
    assert endpoint.is_error("message", '{"\\u0065rror": "x"}')
    assert not endpoint.is_error("message", '{"choices": [], "error": null}')
    assert not endpoint.is_error("message", '{"choices": [{"delta": {"content": "no error here"}}]}')
    assert not endpoint.is_error("message", "[DONE]")
    assert endpoint.is_terminal("message", "[DONE]")
    assert not endpoint.is_terminal("message", '"[DONE]"')


def test_the_first_token_is_the_first_chunk_with_text():
    endpoint = from_url("http://h/x", preset="openai-chat").endpoint[0]
    assert not endpoint.is_first_match("message", '{"choices": [{"delta": {"role": "assistant", "content": ""}}]}')
    assert endpoint.is_first_match("message", '{"choices": [{"delta": {"content": "Hi"}}]}')


def test_a_response_ends_an_mcp_stream():
    endpoint = from_url("http://h/mcp", json={}, preset="mcp-streamable-http").endpoint[0]
    assert endpoint.is_terminal("message", '{"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}')
    assert not endpoint.is_terminal("message", '{"jsonrpc": "2.0", "method": "notifications/progress"}')
    assert endpoint.is_error("message", '{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no"}}')


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), ("1.5 s", 1.5), (3, 3), (0.25, 0.25)]
)
def test_durations(text, seconds):
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1d", "1e3s", 0, -1, float("inf"), float("nan"), True, None, []]
)
def test_no_durations(text):
    with pytest.raises(ValueError):
        duration(text)


def test_an_input_is_put_where_it_belongs():
    request = Request(params={"a": "1"}, json={"events": [{"data": "x", "id": "1"}]})
    assert Input(params="q").put(request, "é\n").params == {"a": "1", "q": "é\n"}
    assert Input(header="X-In").put(request, "v").headers == {"X-In": "v"}
    assert Input(json="/events/0/data").put(request, "y").json_body == {"events": [{"data": "y", "id": "1"}]}
    assert Input(json="/new/place").put(Request(), "y").json_body == {"new": {"place": "y"}}
    assert request.json_body["events"][0]["data"] == "x"


@pytest.mark.parametrize(
    ("at", "value"),
    [("", {"a": [{"b/c": None}, 2], "s": "text"}), ("/a/0/b~1c", None), ("/a/1", 2), ("/a/2", MISSING), ("/a/01", MISSING),
     ("/a/-", MISSING), ("/s/0", MISSING), ("/none", MISSING)],
)  # fmt: skip
def test_pointers_find_members_of_objects_and_lists_alone(at, value):
    assert pointer.find({"a": [{"b/c": None}, 2], "s": "text"}, pointer.parts(at)) == value


def test_sent_at_is_read_in_its_unit():
    def seconds(unit, value):
        place = Endpoint(name="a", sent_at={"pointer": "/t", "unit": unit}).sent_at
        return place.seconds({"t": value})

    assert seconds("ns", 1_500_000_000) == 1.5
    assert seconds("ms", 1500) == 1.5
    assert seconds("iso", "1970-01-01T00:00:01.5+00:00") == 1.5
    assert seconds("iso", "1970-01-01T00:00:01") is None
    assert seconds("s", "1") is seconds("s", True) is None


# -- lines of a TOML text --------------------------------------------------------------------------------------------


def paths(value, at=()):
    if at:
        yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*at, index))


AWKWARD = '''\
# [not] = "a table"
"quoted key" = 1
'lit.eral' = "a # no comment"
a.b . "c.d" = 'x # y'
text = """
[not.a.table]
key = "no" \\""" "" """""
raw = \'\'\'
[[no]]\'\'\'
list = [ # ]
  1, [2, 3], # , 4
  { k = "}", "]" = [ "," ] }, """
]""",
]
[t]
when = 1979-05-27T07:32:00Z
[[t.item]]
x = 1
[[t.item]]
x = { y.z = 2, w = [] }
[t.item.sub]
k = -0.5
[[t.item.deep]]
[[t.item.deep]]
k = true
[ last . "one" ]
'''


def test_every_key_and_item_has_its_line():
    found = toml_lines.lines(AWKWARD)
    assert set(paths(tomllib.loads(AWKWARD))) == set(found)
    rows = AWKWARD.splitlines()
    expected = {("t", "item", 1, "sub", "k"): "k = -0.5", ("list", 2, "]", 0): '  { k = "}", "]" = [ "," ] }, """',
                ("last", "one"): '[ last . "one" ]', ("t", "item", 1, "deep", 1): "[[t.item.deep]]"}  # fmt: skip
    assert {path: rows[found[path] - 1] for path in expected} == expected
    assert found["t", "item", 1, "deep", 1] == found["t", "item", 1, "deep", 0] + 1


def test_lines_are_found_in_generated_documents():
    dice = random.Random(11)

    def value(depth):
        kind = dice.randrange(7 if depth < 3 else 4)
        if kind < 4:
            return dice.choice(["1", "true", '"]}#"', "'\"'", '"""a\n#b"""', "-1.5"])
        if kind == 4:
            return "[" + ",\n ".join(value(depth + 1) for _ in range(dice.randrange(3))) + "]"
        return "{" + ", ".join(f"k{n} = {value(depth + 1)}" for n in range(dice.randrange(3))) + "}"

    for _ in range(200):
        blocks = ["".join(f"k{n} = {value(0)} # c\n" for n in range(3))]
        blocks += [f"\n[[items]]\nname = {json.dumps(str(n))}\n[items.sub]\nx = {value(0)}\n" for n in range(3)]
        text = "".join(blocks)
        assert set(paths(tomllib.loads(text))) == set(toml_lines.lines(text))


def test_crlf_counts_as_one_line():
    assert toml_lines.lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


def test_the_nearest_line_stands_for_what_is_not_there():
    found = toml_lines.lines("a = 1\n[b]\nc = 2\n")
    assert toml_lines.nearest(found, ("b", "gone")) == 2
    assert toml_lines.nearest(found, ("gone",)) == 1


# -- nothing that a file can hold is a traceback -----------------------------------------------------------------------

ODD = ['"text"', "1", "-1.5", "true", "[]", "[[]]", '["a", 1]', "{}", "{ a = { b = [1] } }", "{ pointer = 3 }", "1979-05-27",
       "inf", "nan", '""', '"\\u0000"', "{ headers = [] }", "{ params = { q = 1979-05-27 } }", "9223372036854775807"]  # fmt: skip
KEYS = {
    "endpoint": [field.alias or name for name, field in Endpoint.model_fields.items()],
    "probe": ["url", "active_streams", "pid", "metrics"],
    "target": ["health", "proxied", "origins", "credentials", "second_identity", "control", "ca", "cert", "key", "insecure",
               "secrets"],
    "": ["base_url", "endpoint", "probe", "target", "source"],
}  # fmt: skip


@pytest.mark.parametrize(("table", "key"), [(table, key) for table, keys in KEYS.items() for key in keys])
def test_whatever_stands_under_a_key_it_is_read_or_told_in_one_line(written, table, key):
    for value in ODD:
        head = {"endpoint": "", "probe": "[probe]\n", "target": "[target]\n", "": ""}[table]
        inside = f'base_url = "http://h"\n[[endpoint]]\nname = "a"\n{head}{key} = {value}\n'
        at_top = f'{key} = {value}\nbase_url = "http://h"\n[[endpoint]]\nname = "a"\n'
        text = inside if table else at_top
        if (table, key) == ("endpoint", "name"):
            text = text.replace('name = "a"\n', "")
        try:
            load(written(text))
        except ProfileError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most values are wrong, and some are right
            assert "\0" not in str(error)  # noqa: PT017
