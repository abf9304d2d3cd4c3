"""Fixtures for a team's own tests: open a stream of the app under test, look at its events, let the suite judge it.

    def test_answer_streams(sse):
        stream = sse("/agent/think/stream", params={"query": "hi"}, data="json", terminal=["complete"])
        stream.assert_order("thought+ status token+ complete")
        stream.assert_conforms()
        assert stream.events[0].type == "thought"

What is under test comes from `--sse-target` / `--sse-app`, from the ini keys `sse_target` / `sse_app`, or from a fixture
`sse_target` of the team's own that returns a URL, "module:app", or an ASGI app object; the latter two are served for real.
An app together with a profile: the app is served, and the profile says what its streams promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from ssegauge import profile, suite
from ssegauge.bench import Bench, Options
from ssegauge.errors import UserError
from ssegauge.finding import Finding, as_text
from ssegauge.judging import judge
from ssegauge.mistakes import first_mistake
from ssegauge.observation import Arrival, Observation
from ssegauge.order import Order, OrderError
from ssegauge.serving import ServedApp, ThreadedApp
from ssegauge.verdict import Verdict
from ssegauge.visible import visible


class OpenedStream:
    """A stream that was read to its end (or to the end of the window), with its events and their times."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.observation: Observation = bench.observation

    @property
    def events(self) -> list[Arrival]:
        """The events in order, as a browser would dispatch them (HTML 9.2.6).

        Each has `type`, `data` (text), `last_event_id`, and `at`: seconds from the first byte of the request to the read
        that completed it.
        """
        return self.observation.arrivals

    @property
    def types(self) -> list[str]:
        """The types of the events, ignored ones left out."""
        return self.observation.types

    @property
    def status(self) -> int | None:
        """The status of the response, or None where there was none."""
        return self.observation.exchange.status

    @property
    def verdict(self) -> Verdict:
        """How the stream ended: one of `ssegauge.verdict.VERDICTS`, `complete` say; `MEANINGS` there has each in words."""
        return self.observation.verdict

    def assert_conforms(
        self, *, levels: tuple[str, ...] = ("MUST",), ignore: tuple[str, ...] = (), act: bool = False
    ) -> None:
        """Fail with every broken rule of these levels, and with every one that could not be judged for a fault of ours.

        `levels`: of MUST, SHOULD, RECOMMENDED, INFO. `ignore` names rules by id. `act` also runs the rules that make
        requests of their own, which takes seconds. What is not declared, or not testable here, fails nothing.
        """
        __tracebackhide__ = True
        counted = [
            finding for finding in self.findings(act=act) if finding.level in levels and finding.rule not in ignore
        ]
        texts = [as_text(finding.to_json()) for finding in counted if finding.outcome == "fail"]
        texts += [
            f"{finding.rule} could not be judged: {finding.reason}" for finding in counted if finding.outcome == "error"
        ]
        if texts:
            pytest.fail("\n\n".join(texts), pytrace=False)

    def findings(self, *, act: bool = False) -> list[Finding]:
        """What became of every rule that this recording can show (`act`: of every rule)."""
        chosen = [check for check in suite.checks().values() if act or check.rule.recording]  # type: ignore[attr-defined]
        return [judge(check, self.bench) for check in chosen]

    def assert_order(self, text: str) -> None:
        """Fail where the sequence of types is not accepted by this order: a regular expression over event types.

        Ignored types are left out. The failure says which event was the first that does not fit, what belongs there, and
        what came, with times in milliseconds. Raises UserError for an order that cannot be read.
        """
        __tracebackhide__ = True
        try:
            deviation = Order.compile(text).deviation(self.types)
        except OrderError as error:
            raise UserError(f"assert_order: {error}") from None
        if deviation is not None:
            came = "the stream ended" if deviation.found is None else f"{visible(deviation.found)!r} came"
            expected = ", ".join(deviation.expected) or "the end of the stream"
            pytest.fail(self._story(f"event {deviation.at}: {came}; here belongs {expected}"), pytrace=False)

    def _story(self, headline: str) -> str:
        lines = [
            f"  {arrival.at * 1000:8.0f} ms  {visible(arrival.type)}: {visible(arrival.data, 80)}"
            for arrival in self.events[:40]
        ]
        return "\n".join([headline, f"the events came so ({self.verdict}):", *lines])


class StreamOpener:
    """What the `sse` fixture is: call it with a path or URL and keys of an endpoint to open a stream."""

    def __init__(self, base_url: str, known: profile.Profile | None, options: Options) -> None:
        self.base_url = base_url
        self.known = known
        self.options = options

    def __call__(self, path: str = "", *, window: float | None = None, **keys: Any) -> OpenedStream:
        """Open a stream, read it to its end (or for `window` seconds, where it has no deadline), and return it.

        `path` is a path, a URL, or the name of an endpoint of the profile. `method`, `headers`, `params`, `json` and `body`
        describe the request (of a named endpoint: are laid over it); every other keyword is a key of an endpoint in a
        profile (data, order, terminal, errors, …). A target that cannot be reached raises nothing: its verdict is
        `connect_error`. Raises UserError for a name that the profile does not have, and for a key that is misspelt.
        """
        __tracebackhide__ = True
        request: dict[str, Any] = {
            name: keys.pop(name) for name in ("method", "headers", "params", "json") if name in keys
        }
        if "body" in keys:
            request["data"] = keys.pop("body")
        base_url = self.base_url
        declared = self._declared(path)
        try:
            if declared is None:
                parts = urlsplit(path)
                base_url = f"{parts.scheme}://{parts.netloc}" if parts.scheme else base_url
                asked = profile.Request(path=(path[len(base_url) :] if parts.scheme else path) or "/", **request)
                endpoint = profile.Endpoint(name=path or "/", request=asked, **keys)
            else:
                endpoint = _changed(declared, request, keys)
        except ValidationError as error:
            raise UserError(
                f"sse({path!r}, …): {first_mistake(error, request | keys, profile.Endpoint).message({})}"
            ) from None
        contract = self._profile(base_url, endpoint)
        options = self.options if window is None else replace(self.options, window=window)
        return OpenedStream(Bench(contract, endpoint, options))

    def _declared(self, name: str) -> profile.Endpoint | None:
        endpoints = self.known.endpoint if self.known else ()
        found = next((endpoint for endpoint in endpoints if endpoint.name == name), None)
        if found is None and name and "/" not in name:
            names = ", ".join(endpoint.name for endpoint in endpoints) or "none, for there is no profile"
            raise UserError(f"sse({name!r}): a path begins with a slash, and the endpoints with a name are: {names}")
        return found

    def _profile(self, base_url: str, endpoint: profile.Endpoint) -> profile.Profile:
        if self.known is None:
            source = base_url + endpoint.request.path
            return profile.Profile(base_url=base_url, endpoint=(endpoint,), source=source)
        return self.known.model_copy(update={"base_url": base_url, "endpoint": (endpoint,)})


def under_test(config: pytest.Config) -> tuple[str | None, str | None]:
    """The target (URL or profile) and the app that pytest's options name, or else its configuration; None where neither does.

    A target on the command line is taken as it is: the configuration's app is not served in its place. An app on the
    command line keeps the configuration's profile. A profile in the configuration is found from pytest's root folder.
    """
    target, app = config.getoption("sse_target") or None, config.getoption("sse_app") or None
    if target is not None:
        return target, app
    configured: str = config.getini("sse_target")
    is_profile = configured.endswith(".toml")
    if is_profile:
        configured = str(Path(config.rootpath, configured))
    if app is not None:
        return configured if is_profile else None, app
    return configured or None, config.getini("sse_app") or None


@pytest.fixture(scope="session")
def sse_target(pytestconfig: pytest.Config) -> str:
    """What the `sse` fixture opens streams of; a team's conftest may define its own."""
    target, app = under_test(pytestconfig)
    found = app or target
    if not found:
        raise pytest.UsageError(
            "the sse fixture has no target: set sse_app or sse_target in pytest's configuration, or define a fixture sse_target"
        )
    return str(found)


def _changed(declared: profile.Endpoint, request: dict[str, Any], keys: dict[str, Any]) -> profile.Endpoint:
    """The endpoint with these keys in place of its own, looked at like any that stands in a profile."""
    kept = {name: getattr(declared, name) for name in declared.model_fields_set}
    if "schema" in keys:
        kept.pop("schemas", None)
    laid_over = declared.request.overlaid(profile.Request.overlay(**request))
    return profile.Endpoint(**{**kept, **keys, "request": laid_over})


@pytest.fixture(scope="session")
def sse(sse_target: Any, pytestconfig: pytest.Config) -> Iterator[Callable[..., OpenedStream]]:
    """Opens streams of the target: `sse(path, **keys)` returns an OpenedStream."""
    options = Options(window=pytestconfig.getoption("sse_window"))
    if not isinstance(sse_target, str):
        with ThreadedApp(sse_target) as served:
            yield StreamOpener(served.url, _contract(pytestconfig), options)
    elif sse_target.startswith(("http://", "https://")):
        yield StreamOpener(sse_target.rstrip("/"), None, options)
    elif sse_target.endswith(".toml"):
        known = profile.load(Path(pytestconfig.rootpath, sse_target))
        yield StreamOpener(known.base_url, known, options)
    else:
        with ServedApp(sse_target, root=Path(pytestconfig.rootpath)) as app:
            yield StreamOpener(app.url, _contract(pytestconfig), options)


def _contract(config: pytest.Config) -> profile.Profile | None:
    """What the streams of a served app promise, by the profile named beside it."""
    target, _ = under_test(config)
    return profile.load(target) if target is not None and target.endswith(".toml") else None
