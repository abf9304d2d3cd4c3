"""A profile's file: each mistake is one line that names file, line and key, and nothing in it is a traceback."""

import pytest

from ssegauge.profile import Endpoint, ProfileError, load

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


@pytest.mark.parametrize("make", ["missing", "folder", "latin-1"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, make):
    file = tmp_path / "p.toml"
    if make == "folder":
        file.mkdir()
    elif make == "latin-1":
        file.write_bytes('base_url = "é"'.encode("latin-1"))
    with pytest.raises(ProfileError, match=r"p\.toml: [^\n]+$"):
        load(file)


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
