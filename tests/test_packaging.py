"""What an install puts into site-packages, and what the repository must not hold."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = {"src/ssegauge/": "ssegauge/", "conformance/": "ssegauge/conformance/"} | {
    f"{leaf}/": f"ssegauge/{leaf}/" for leaf in ("loadtests", "target_app")
}
PLANTED = ["conformance/.env", "loadtests/secrets.local", "target_app/__pycache__/app.cpython-311.pyc"]

# Split, so that this file does not name what it looks for.
HOSTS_AND_PATHS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            "npm" + r"js\.(org|com)",
            "deb" + r"\.debian\.org",
            r"\bproxy\.go" + "lang",
            # /home/locust is in the image, where Locust's operator mounts its files
            r"(?<![\w.-])/(ro" + "ot|wo" + "rk|ho" + r"me/(?!locust/)\w+|tmp/te" + r"am)/",
        ]
    )
)


def tracked() -> list[str]:
    """Files that are or would be committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def in_wheel(name: str) -> str | None:
    for tree, place in SHIPPED.items():
        if name.startswith(tree):
            return place + name.removeprefix(tree)
    return None


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree, with files planted that git ignores."""
    tree = tmp_path_factory.mktemp("tree")
    for name in tracked():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    for name in PLANTED:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("SECRET=1\n")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "out"]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (found,) = (tree / "out").glob("*.whl")
    return zipfile.ZipFile(found)


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content as an install lays it out."""
    site = tmp_path_factory.mktemp("site")
    wheel.extractall(site)
    return site


def python(code: str, *, cwd: Path, site: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site)} if site else dict(os.environ)
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_generic_names_never_reach_site_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ssegauge"}


def test_the_wheel_holds_the_package_and_its_leaves_and_nothing_that_git_ignores(wheel: zipfile.ZipFile) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == {place for name in tracked() if (place := in_wheel(name))}


def test_types_and_the_licence_ship(wheel: zipfile.ZipFile) -> None:
    assert "ssegauge/py.typed" in wheel.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_metadata_names_every_extra(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = HeaderParser().parsestr(wheel.read(name).decode())
    extras = set(metadata.get_all("Provides-Extra", []))
    assert extras == {"load", "target", "report", "png", "prometheus", "otel", "all", "dev"}
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_leaves_are_found_in_an_install(installed: Path, tmp_path: Path) -> None:
    code = (
        "from ssegauge import locate; print(locate.checkout(), locate.path('target_app'), locate.module('target_app'))"
    )
    there = installed.resolve() / "ssegauge" / "target_app"
    assert python(code, cwd=tmp_path, site=installed) == f"None {there} ssegauge.target_app"


def test_every_module_of_an_install_can_be_imported_from_anywhere(installed: Path, tmp_path: Path) -> None:
    code = """
import importlib, pathlib, sys
package = pathlib.Path(sys.argv[0] or ".")
import ssegauge
top = pathlib.Path(ssegauge.__file__).parent
for path in sorted(top.rglob("*.py")):
    parts = path.relative_to(top.parent).with_suffix("").parts
    if parts[1] not in ("conformance", "loadtests", "load") and parts[-1] != "__main__":
        importlib.import_module(".".join(parts).removesuffix(".__init__"))
print(top)
"""
    assert python(code, cwd=tmp_path, site=installed) == str(installed.resolve() / "ssegauge")


@pytest.mark.parametrize("module", ["ssegauge", "ssegauge.pytest_plugin", "ssegauge.cli"])
def test_importing_the_plugin_or_the_command_drags_in_no_engine(module: str, tmp_path: Path) -> None:
    engines = {"locust", "gevent", "fastapi", "starlette", "uvicorn", "plotly"}
    code = f"import sys, {module}; print(*sorted({engines!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    assert not python(code, cwd=tmp_path)


def test_nothing_tracked_names_a_host_of_packages_or_a_path_of_one_machine() -> None:
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        lines = text.splitlines() if HOSTS_AND_PATHS.search(text) else []
        found += [f"{name}:{n}: {line[:120]}" for n, line in enumerate(lines, 1) if HOSTS_AND_PATHS.search(line)]
    assert not found


def test_every_dependency_has_a_pin_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[\[><=~! ;]", requirement)[0]
        for requirement in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    }
    pinned = re.findall(
        r"^([a-z0-9-]+)==\S+ .*\\\n    --hash=sha256:", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
    assert wanted - {"ssegauge"} <= set(pinned)


@pytest.mark.slow
def test_a_bare_install_is_enough_for_everything_but_its_extras(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pin = re.compile(r"^([a-z0-9-]+==[^ ]+)( ;[^\\]*)?", re.MULTILINE)
    pins = pin.finditer((ROOT / "constraints.txt").read_text())
    (tmp_path / "versions.txt").write_text("".join(f"{found[1]}{found[2] or ''}\n" for found in pins))
    install = ["install", "--quiet", "--disable-pip-version-check", "--constraint", tmp_path / "versions.txt"]
    subprocess.run([place / "bin" / "python", "-m", "pip", *install, wheel.filename], check=True)

    def ssegauge(*args: str) -> tuple[int, str]:
        done = subprocess.run([place / "bin" / "ssegauge", *args], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert ssegauge("--version") == (0, f"ssegauge {version('ssegauge')}\n")
    code, told = ssegauge("serve", "--port", "0")
    assert (code, told.count("\n")) == (2, 1)
    assert "pip install 'ssegauge[target]'" in told
    plugins = subprocess.run(
        [place / "bin" / "pytest", "--version", "-VV"], cwd=tmp_path, capture_output=True, text=True
    )
    assert plugins.returncode == 0, plugins.stderr
