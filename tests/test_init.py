"""`ssegauge init`: the profile it writes is read back, says what was seen, and holds on that stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ssegauge import profile, suite
from ssegauge.bench import Bench, Options
from ssegauge.cli import main
from ssegauge.judging import judge

from .mutants.contract import PROFILE
from .mutants.host import Host
from .mutants.http2 import Secure
from .mutants.message import Call, block
from .mutants.server import Clean


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    started = Host()
    yield started
    started.stop()


class Open(Clean):
    """No credentials asked for."""

    def refusal(self, call: Call) -> tuple[int, dict[str, str]] | None:
        call.headers["authorization"] = "Bearer a"
        return super().refusal(call)


class Written(Open):
    """A stream of the frames that a test gives."""

    def __init__(self, *frames: bytes) -> None:
        super().__init__()
        self.written = frames

    async def events(self, call: Call, start: int) -> AsyncIterator[bytes]:
        for frame in self.written:
            yield frame


def write(host: Host, server: Clean, path: str, folder: Path, *options: str) -> tuple[profile.Endpoint, list[str], str]:
    """The endpoint that was written, the rules that it breaks on the same stream, and the file's text."""
    file = folder / "sse-target.toml"
    with host.serving(server) as url:
        assert main(["init", url + path, "-o", str(file), "--window", "1", *options]) == 0
        known = profile.load(file)
        bench = Bench(known, known.endpoint[0], Options(window=1))
        recorded = [check for check in suite.checks().values() if check.rule.recording]  # type: ignore[attr-defined]
        broken = [
            finding.rule
            for finding in (judge(check, bench) for check in recorded)
            if finding.outcome in {"fail", "error"}
        ]
    return known.endpoint[0], broken, file.read_text()


def test_finite_json_stream(host: Host, tmp_path: Path) -> None:
    endpoint, broken, text = write(host, Open(), "/stream", tmp_path)
    assert (endpoint.data, endpoint.order, endpoint.terminal) == ("json", "start delta+ done", ("done",))
    assert endpoint.discriminator is not None
    assert '# sequence = { pointer = "/seq" }' in text
    assert broken == []


def test_sentinel(host: Host, tmp_path: Path) -> None:
    endpoint, broken, _ = write(host, Open(), "/chat", tmp_path, "--method", "POST", "--json", '{"stream": true}')
    assert (endpoint.order, endpoint.terminal_data, endpoint.request.json_body) == (
        "message+",
        ("[DONE]",),
        {"stream": True},
    )
    assert broken == []


def test_endless_stream_declares_no_end(host: Host, tmp_path: Path) -> None:
    endpoint, broken, _ = write(host, Open(), "/ticks", tmp_path)
    assert (endpoint.order, endpoint.terminal, endpoint.deadline) == ("tick*", (), None)
    assert [rule for rule in broken if not rule.startswith("REC")] == []


def test_text_stream(host: Host, tmp_path: Path) -> None:
    endpoint, broken, _ = write(host, Open(), "/echo", tmp_path)
    assert (endpoint.data, endpoint.order, endpoint.terminal) == ("text", "echo done", ("done",))
    assert broken == []


def test_groups_that_repeat(host: Host, tmp_path: Path) -> None:
    frames = [
        block("{}", event=kind) for kind in ("status", "result", "status", "result", "status", "result", "end now")
    ]
    endpoint, _, _ = write(host, Written(*frames), "/stream", tmp_path)
    assert endpoint.order == '(status result)+ "end now"'
    assert endpoint.terminal == ("end now",)


def test_openai_shape_takes_the_preset(host: Host, tmp_path: Path) -> None:
    chunk = json.dumps({"object": "chat.completion.chunk", "choices": [{"delta": {"content": "x"}}]})
    endpoint, _, _ = write(host, Written(block(chunk), block(chunk), block("[DONE]")), "/stream", tmp_path)
    assert endpoint.preset == "openai-chat"
    assert endpoint.terminal_data == ("[DONE]",)


def test_responses_without_names_are_known_by_their_payloads(host: Host, tmp_path: Path) -> None:
    kinds = ("created", "in_progress", "output_item.added", "output_text.delta", "output_item.done", "completed")
    frames = [block(json.dumps({"type": f"response.{kind}"})) for kind in kinds]
    endpoint, broken, _ = write(host, Written(*frames, block("[DONE]")), "/stream", tmp_path)
    assert endpoint.preset == "openai-responses"
    assert endpoint.terminal_data == ("[DONE]",)
    assert [rule for rule in broken if not rule.startswith("REC")] == ["JSON-06"]


def test_a_preset_that_knows_the_end_is_not_said_to_have_none(host: Host, tmp_path: Path) -> None:
    frames = [block(json.dumps({"jsonrpc": "2.0", **more})) for more in ({"method": "x"}, {"id": 1, "result": {}})]
    endpoint, _, text = write(host, Written(*frames), "/stream", tmp_path)
    assert endpoint.preset == "mcp-streamable-http"
    assert "no event marks the end" not in text


def test_a_credential_is_not_written_down(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "secret.toml"
    with host.serving(Clean()) as url:
        assert (
            main(["init", f"{url}/stream", "-o", str(file), "--window", "1", "--header", "Authorization: Bearer a"])
            == 0
        )
    assert "Bearer env:AUTHORIZATION" in file.read_text()
    assert "Bearer a" not in file.read_text()


def test_an_address_without_a_stream_is_one_clear_line(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.toml"
    with host.serving(Open()) as url:
        assert main(["init", f"{url}/health", "-o", str(file)]) == 3
    said = capsys.readouterr().err
    assert "no event stream: status 200, Content-Type application/json: {" in said  # why, in the server's words
    assert said.count("\n") == 1
    assert not file.exists()


def test_an_existing_file_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PROFILE)
    assert main(["init", "http://127.0.0.1:1/x", "-o", str(file)]) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == PROFILE


class Encrypted(Open, Secure):
    """Over TLS, by a certificate that nobody signed."""


def test_a_certificate_that_nobody_trusts(host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sse-target.toml"
    with host.serving(Encrypted()) as url:
        assert main(["init", f"{url}/stream", "-o", str(file), "--window", "1"]) == 3
        assert "certificate is not trusted" in capsys.readouterr().err
        assert main(["init", f"{url}/stream", "-o", str(file), "--window", "1", "--insecure"]) == 0
    assert profile.load(file).target.insecure
    assert file.read_text().endswith("\n[target]\ninsecure = true\n")
