"""The command line's frame: lazy verbs, one line for every expected error, exit codes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ssegauge.cli
from ssegauge.cli import VERBS, main
from tests.timing import MS

COMMAND = [sys.executable, "-c", "import sys; from ssegauge.cli import main; sys.exit(main())"]


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Add a verb `probe-verb` whose command does what the given lines do."""

    def add(body: str) -> None:
        lines = "\n    ".join(body.splitlines())
        (tmp_path / "tried.py").write_text(f"import click\n@click.command()\ndef command():\n    {lines}\n")
        monkeypatch.setitem(VERBS, "tried", "Added by a test.")
        monkeypatch.setattr(ssegauge.cli, "__path__", [*ssegauge.cli.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, "ssegauge.cli.tried", raising=False)

    return add


def run(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=20_000 * MS, **options)


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("pass", 0, ""),
        ("return 1", 1, ""),
        ("click.get_current_context().exit(3)", 3, ""),
        ("from ssegauge.errors import UserError\nraise UserError('a.toml:3: x: unknown')", 2, "a.toml:3: x: unknown"),
        ("from ssegauge.errors import Inconclusive\nraise Inconclusive('never reached')", 3, "never reached"),
        ("open('/nowhere/at/all')", 2, "/nowhere/at/all: No such file or directory"),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise BrokenPipeError", 141, ""),
    ],
)
def test_how_a_verb_ends_is_told_in_a_code_and_at_most_one_line(verb, capfd, body: str, code: int, line: str) -> None:
    verb(body)
    assert main(["tried"]) == code
    assert capfd.readouterr().err.strip() == (f"ssegauge: {line}" if line else "")


def test_a_missing_extra_is_named(verb, capfd) -> None:
    verb("raise ModuleNotFoundError(name='locust.env')")
    assert main(["tried"]) == 2
    assert "pip install 'ssegauge[load]'" in capfd.readouterr().err


def test_a_defect_of_ours_is_no_traceback_and_no_verdict(verb, capfd) -> None:
    verb("raise RuntimeError('three\\nlines\\x1b[31m')")
    assert main(["tried"]) == 3
    told = capfd.readouterr().err
    assert told.startswith("ssegauge: internal error, nothing was judged: RuntimeError: three lines\\x1b[31m")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "args", [["no-such-verb"], ["serve", "--port", "many"], ["serve", "--no-such-option"], ["--no-such-option"]]
)
def test_a_wrong_command_is_one_line_and_exit_2(args: list[str]) -> None:
    done = run(*args)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "--help" in done.stderr


def test_no_verb_shows_the_verbs() -> None:
    done = run()
    assert done.returncode == 2
    assert "serve" in done.stderr


def test_version() -> None:
    assert run("--version").stdout == f"ssegauge {ssegauge.__version__}\n"


@pytest.mark.parametrize("name", ssegauge.cli.cli.list_commands(None))
def test_the_help_of_every_verb_shows_an_example(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"ssegauge {name}" in done.stdout.partition("Options:")[2] + done.stdout.partition("Example")[2]


@pytest.mark.parametrize(("verb_name", "barred"), [("serve", "pytest"), ("parse", "pytest"), ("parse", "locust")])
def test_a_verb_loads_only_what_it_needs(verb_name: str, barred: str, tmp_path: Path) -> None:
    code = (
        f"import sys; from ssegauge.cli import main; main([{verb_name!r}, '--help']); print({barred!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    code = """
import click, sys
from ssegauge import cli
@cli.cli.command()
def flood():
    while True:
        click.echo("line " * 100)
cli.Verbs.get_command = lambda self, ctx, name: flood
sys.exit(cli.main(["flood"]))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_ctrl_c_ends_serve_quietly(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, cwd=tmp_path, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("serving on http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chekc", "x"], "there is no verb 'chekc'; did you mean 'check'? (see: ssegauge --help)"),
        (["frobnicate"], "there is no verb 'frobnicate' (see: ssegauge --help)"),
        (["check", "stream"], '"stream" is neither a URL, which begins with http:// or https://, nor a file'),
        (
            ["load", "http://127.0.0.1:9/x", "-u", "5"],
            "No such option '-u'. What is for Locust stands behind two hyphens, as in: -- -u 50 -t 1m (see: ssegauge load --help)",
        ),
    ],
    ids=["verb", "no verb", "word", "Locust's option"],
)
def test_a_slip_of_the_pen_is_told_with_what_was_meant(capfd, words: list[str], told: str) -> None:
    assert main(words) == 2
    assert capfd.readouterr().err == f"ssegauge: {told}\n"


def test_an_option_of_ours_that_is_misspelt_is_not_taken_for_locusts(capfd) -> None:
    assert main(["load", "http://127.0.0.1:9/x", "--resuts", "y"]) == 2
    told = capfd.readouterr().err
    assert "--results" in told
    assert "Locust" not in told


@pytest.mark.parametrize("verb", ["check", "init", "load"])
def test_a_forgotten_export_is_one_line_before_anything_is_asked(verb: str, tmp_path: Path) -> None:
    said = run(verb, "http://127.0.0.1:1/x", "--header", "Authorization: Bearer env:SSEGAUGE_NOT_SET", cwd=tmp_path)
    assert said.returncode == 2, said.stdout + said.stderr
    lines = [line for line in said.stderr.splitlines() if "SSEGAUGE_NOT_SET" in line]
    assert len(lines) == 1
    assert "is not set" in lines[0]


def test_what_another_endpoint_takes_from_the_environment_may_be_missing(tmp_path: Path) -> None:
    profile = tmp_path / "two.toml"
    profile.write_text(
        'base_url = "http://127.0.0.1:1"\n[[endpoint]]\nname = "open"\n[[endpoint]]\nname = "closed"\n'
        'request = { headers = { Authorization = "env:SSEGAUGE_NOT_SET" } }\n'
    )
    assert run("check", str(profile), cwd=tmp_path).returncode == 2
    assert run("check", str(profile), "--endpoint", "open", cwd=tmp_path).returncode == 3  # nothing listens
