"""From what a user names (URL, profile, app, recording) to a profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssegauge import exchange, locate
from ssegauge.errors import UserError
from ssegauge.profile.address import from_url
from ssegauge.profile.fields import url_fault
from ssegauge.profile.loading import load
from ssegauge.profile.model import Profile

PROFILE_NAME = "sse-target.toml"
APP_ADDRESS = "http://127.0.0.1:1"
"""Stands in the profile of an app until it is served and its port is known."""


def find_profile(
    target: str | None,
    *,
    app: str | None = None,
    recording: str | None = None,
    root: Path | None = None,
    method: str | None = None,
    headers: Sequence[str] = (),
    json: str | None = None,
    data: str | None = None,
    preset: str | None = None,
) -> Profile:
    """The profile under test. Raises UserError where nothing usable is named.

    A target that begins with http:// or https:// is a URL; with an app, one that begins with / is a path of it; anything
    else is a profile's file. An app without target is tested by the sse-target.toml beside it or in `root`.
    """
    if target is None and recording is not None:
        target = exchange.load(Path(recording)).request.url
    if target is None:
        return load(_profile_beside(app or "", root or Path.cwd()))
    if app is not None and target.startswith("/") and not Path(target).is_file():
        target = APP_ADDRESS + target
    if not set("/:.") & set(target) and not Path(target).exists():
        raise UserError(f'"{target}" is neither a URL, which begins with http:// or https://, nor a file')
    if "://" in target or not _looks_like_file(target):
        return from_url(target, method=method, headers=tuple(headers), json=json, data=data, preset=preset)
    given = [
        name
        for name, value in (
            ("--method", method),
            ("--header", headers),
            ("--json", json),
            ("--data", data),
            ("--preset", preset),
        )
        if value
    ]
    if given:
        raise UserError(f"{given[0]} goes with a bare URL; for {target} write it into the profile")
    return load(Path(target))


def behind(contract: Profile, proxied: str) -> Profile:
    """The profile, with the address that leads to the same target through its proxy. Raises UserError.

    The whole address of the only endpoint is understood as well: `/stream` at its end is taken off.
    """
    fault = url_fault(proxied)
    if fault is not None:
        raise UserError(f'--proxied "{proxied}" {fault}')
    base = proxied.rstrip("/")
    if len(contract.endpoint) == 1:
        base = base.removesuffix(contract.endpoint[0].request.path)
    if "?" in base or "#" in base:
        raise UserError(
            f'--proxied "{proxied}" ends before ? and #: it is the address that stands for {contract.base_url}'
        )
    return contract.model_copy(update={"target": contract.target.model_copy(update={"proxied": base})})


def _looks_like_file(target: str) -> bool:
    return target.endswith(".toml") or Path(target).exists()


def _profile_beside(app: str, root: Path) -> Path:
    found = locate.app(app)
    module = found.import_string.partition(":")[0].split(".")
    base = found.directory or locate.path("target_app").parent.parent
    folders = [base.joinpath(*module[:-1]), root]
    for folder in folders:
        if (folder / PROFILE_NAME).is_file():
            return folder / PROFILE_NAME
    raise UserError(
        f"--app {app}: say which endpoint to test, as in `ssegauge check /stream --app {app}`, or write a {PROFILE_NAME} beside it"
    )
