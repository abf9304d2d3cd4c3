"""On which line of a TOML text each key stands."""

import json
import random
import tomllib

from ssegauge import toml_lines


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
