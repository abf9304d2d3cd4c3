"""The documentation: what is written from the code is up to date, what is written by hand names what there is."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import tomllib
from importlib import resources
from pathlib import Path

import click
import pytest

from ssegauge import profile
from ssegauge.cli import VERBS, cli
from ssegauge.gate import metrics
from ssegauge.rules import CATALOGUE
from ssegauge.verdict import VERDICTS
from tests.pages import PAGES
from tests.pages.profile import PLACES, TEXTS, keys

ROOT = Path(__file__).parent.parent
PAGES_BY_HAND = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "your-api" / "README.md",
]


def readable(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("file", PAGES, ids=readable)
def test_what_is_written_from_the_code_is_up_to_date(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == PAGES[file](), "run `python -m tests.pages`"


def test_every_key_of_a_profile_is_explained() -> None:
    unexplained = [f"{model.__name__}.{key}" for model in PLACES for key in keys(model) if key not in TEXTS[model]]
    assert not unexplained, "explain them in tests/pages/profile.py, and run `python -m tests.pages`"


@pytest.mark.parametrize("file", PAGES_BY_HAND, ids=readable)
def test_links_lead_somewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            found = (file.parent / path).resolve() if path else file
            assert found.exists(), f"{target} in {readable(file)}"
            if anchor and found.suffix == ".md":
                assert anchor in anchors(found), f"{target} in {readable(file)}"


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = str(page.relative_to(ROOT / "docs"))
        assert name == "README.md" or f"({name})" in index, name


# -- commands and files that pages show -------------------------------------------------------------------------------


def blocks(kinds: str) -> list[tuple[Path, str]]:
    fenced = re.compile(rf"^```(?:{kinds})\n(.*?)^```", re.MULTILINE | re.DOTALL)
    texts = [(page, text) for page in PAGES_BY_HAND for text in fenced.findall(page.read_text(encoding="utf-8"))]
    return [(page, re.sub(r"\\\n\s*", "", text)) for page, text in texts]


def shown_commands() -> list[tuple[str, str]]:
    found = set()
    for page, text in blocks("console|sh||text|yaml"):
        for line in text.splitlines():
            start = re.match(r"(?:\$ |  )?(ssegauge [a-z]+\b.*)", line)
            if start and page != ROOT / "docs" / "rules.md":
                found.add((readable(page), start[1].partition("   #")[0].partition("  # ")[0]))
    return sorted(found)


@pytest.mark.parametrize(("page", "command"), shown_commands())
def test_every_command_that_a_page_shows_exists_with_its_options(page: str, command: str) -> None:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    _, verb, *words = itertools.takewhile(lambda word: word not in {"|", "||", "&&", ">", "<", ";"}, lexer)
    assert verb in VERBS, page
    found = cli.get_command(click.Context(cli), verb)
    assert found is not None
    found.make_parser(click.Context(found)).parse_args(list(words))  # raises NoSuchOption


def test_every_profile_that_a_page_shows_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    for page, text in blocks("toml"):
        tomllib.loads(text)
        if page != ROOT / "docs" / "reference" / "profile.md" and "[[endpoint]]" in text:
            for name in set(re.findall(r'"(schemas/[\w./-]+|[\w-]+\.pem)"', text)):
                (tmp_path / name).parent.mkdir(exist_ok=True)
                (tmp_path / name).write_text("{}")
            whole = text if "base_url" in text else f'base_url = "http://127.0.0.1:8000"\n{text}'
            (tmp_path / "shown.toml").write_text(whole, encoding="utf-8")
            profile.load(tmp_path / "shown.toml")
            count += 1
    assert count > 5


# -- references -------------------------------------------------------------------------------------------------------


def test_the_reference_of_metrics_names_them_all() -> None:
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    of_harness = {f"harness.{name}" for name in metrics.HARNESS_TIMES}
    named = {*metrics.LATENCIES, *of_harness, *metrics._RATES, *metrics._COUNTS, *metrics._SHARES}
    of_a_verdict = {f"streams.{word}_ratio" for word in VERDICTS} | {f"streams.by_verdict.{word}" for word in VERDICTS}
    assert not {name for name in named - of_a_verdict if f"`{name}`" not in text}


def test_the_reference_of_results_names_every_key_of_the_schema() -> None:
    schema = json.loads(resources.files("ssegauge").joinpath("results.schema.json").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
    known = set(schema["properties"]).union(*(part.get("properties", {}) for part in schema["$defs"].values()))
    assert not {name for name in known if f"`{name}`" not in text}


def test_the_explanation_names_every_verdict() -> None:
    text = (ROOT / "docs" / "explanation.md").read_text(encoding="utf-8")
    assert all(f"`{word}`" in text for word in VERDICTS)


def test_rules_that_pages_name_exist() -> None:
    for page in PAGES_BY_HAND:
        named = set(
            re.findall(
                r"\b((?:HTTP|HDR|ENC|FRM|FLD|JSON|ORD|ERR|LIF|REC|DIS|BUF|COR|SEC|ISO|CLT)-\d\d)\b", page.read_text()
            )
        )
        assert named <= set(CATALOGUE), readable(page)
