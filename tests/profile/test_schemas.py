"""JSON Schemas beside the profile."""

import pytest

from ssegauge.profile import ProfileError, load

E = '[[endpoint]]\nname = "a"\n'


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
