"""The arrows point one way: read from the syntax tree, so that imports inside functions count too."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "ssegauge"

# A module or subpackage imports only what stands in a row above its own. Names in one row do not know each other.
ORDER = [
    ["errors", "wire", "visible", "redaction"],
    ["locate", "text_file"],
    ["anatomy"],
    ["anomalies"],
    ["verdict"],
    ["content_coding"],
    ["exchange"],
    ["mistakes", "order_grammar", "toml_lines"],
    ["order"],
    ["profile"],
    ["hiding"],
    ["observation"],
    ["guess", "rules"],
    ["accepted", "finding"],
    ["client"],
    ["pulse", "probe"],
    ["serving"],
    ["commanded"],
    ["bench"],
    ["fronts", "needs"],
    ["judging", "schema_check"],
    ["results"],
    ["run"],
    ["suite"],
    ["means"],
    ["fixtures"],
    ["pytest_plugin"],
    ["load"],
    ["gate"],
    ["report"],
    ["cli"],
    ["__main__"],
]
# The decoder is what others will lift out and read on its own: it knows nothing of the rest.
ALONE = ["wire"]
LEAVES = ["conformance", "loadtests", "target_app"]

RANK = {name: rank for rank, row in enumerate(ORDER) for name in row}


class Import(NamedTuple):
    where: str
    module: str  # absolute; the names of `from ssegauge import x` are taken as modules
    relative: bool


def _package_of(path: Path, base: Path) -> list[str]:
    return list(path.relative_to(base).parent.parts)


def imports(path: Path, base: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (Import(where, alias.name, relative=False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _package_of(path, base)
            parts = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*parts, *([node.module] if node.module else [])])
            bare = module == "ssegauge" or node.module is None
            names = [f"{module}.{alias.name}" for alias in node.names] if bare else [module]
            yield from (Import(where, name, relative=bool(node.level)) for name in names)


def modules(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*.py") if "__pycache__" not in path.parts)


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


CORE = [path for path in modules(PACKAGE) if layer(path) != "__init__"]
LEAF_FILES = [path for leaf in LEAVES for path in modules(ROOT / leaf)]


def readable(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=readable)
def test_a_module_imports_only_what_stands_above_it(path: Path) -> None:
    own = layer(path)
    assert own in RANK, f"{readable(path)} has no place in ORDER: give it one"
    for found in imports(path, PACKAGE.parent):
        top, _, rest = found.module.partition(".")
        imported = rest.partition(".")[0]
        if top != "ssegauge" or imported in {"", own, "__version__"}:
            continue
        assert imported in RANK, f"{found.where}: {found.module} has no place in ORDER: give it one"
        assert RANK[imported] < RANK[own], f"{found.where}: {own} imports {imported}, which stands below it"
        assert own not in ALONE, f"{found.where}: {own} imports nothing from the package"


@pytest.mark.parametrize("path", CORE + LEAF_FILES, ids=readable)
def test_nothing_imports_a_leaf(path: Path) -> None:
    for found in imports(path, PACKAGE.parent if PACKAGE in path.parents else ROOT):
        if found.relative:
            continue
        parts = found.module.removeprefix("ssegauge.").split(".")
        assert parts[0] not in LEAVES, f"{found.where}: imports {found.module}; a leaf is found by path, see locate.py"


@pytest.mark.parametrize("path", LEAF_FILES, ids=readable)
def test_a_leaf_imports_nothing_of_ours_but_the_package(path: Path) -> None:
    leaf = path.relative_to(ROOT).parts[0]
    for found in imports(path, ROOT):
        if leaf == "target_app":
            assert not found.module.startswith("ssegauge"), f"{found.where}: the app imports only itself"
        if leaf == "loadtests":
            assert not found.relative, f"{found.where}: a locustfile that runs by path cannot import its sibling"
        if found.relative:
            assert found.module.split(".")[0] == leaf, f"{found.where}: {found.module} is outside of {leaf}"
        assert not found.module.startswith(("tests", "benchmarks")), f"{found.where}: imports {found.module}"
