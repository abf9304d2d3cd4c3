"""The place where one endpoint is put to the test: its shared observation, and the means to act on the target.

A rule that only reads looks at `bench.observation`, which is recorded once. A rule that must act (disconnect,
reconnect, run in parallel) makes its own exchanges here.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ssegauge import exchange as recordings
from ssegauge.client import Limits, Stream, record, record_following
from ssegauge.client.connection import Transport, alpn
from ssegauge.exchange import Exchange, Sent
from ssegauge.observation import Observation
from ssegauge.probe import Gauge, MetricsGauge, ProcessGauge, StatusGauge, joined
from ssegauge.profile import Endpoint, Profile, Request, Situation, resolved, secret
from ssegauge.pulse import Pulse
from ssegauge.serving import PROBE_PATH, ServedApp

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What a run allows and brings along. `window` bounds the observation of a stream, in seconds.

    `burst` is how many clients may come at once.

    `scale` shortens what the rules that need `long` wait for: the harness's own tests have no minutes.
    """

    long: bool = False
    window: float = 10.0
    transport: Transport = field(default_factory=Transport)
    pid: int | None = None
    save: Path | None = None
    reproduce: str = ""
    burst: int = 50
    scale: float = 1.0


@dataclass(eq=False)
class Bench:
    """One endpoint of a profile under one set of options. `recording` stands in for a live target."""

    profile: Profile
    endpoint: Endpoint
    options: Options = field(default_factory=Options)
    app: ServedApp | None = None
    recording: Exchange | None = None
    lost: str = ""  # the rule that found the target gone
    refusals: list[Exchange] = field(default_factory=list, init=False)  # for their number, not for what they asked
    turned_away: int = field(default=0, init=False)  # requests that the stream's own address answered with 4xx
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def live(self) -> bool:
        """There is a server to act on."""
        return self.recording is None

    def listens(self) -> bool:
        """Something takes connections at the target's address."""
        parts = urlsplit(self.profile.base_url)
        try:
            socket.create_connection(
                (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)), 2.0
            ).close()
        except OSError:
            return False
        return True

    @cached_property
    def pulse(self) -> Pulse:
        """Tells whether this machine was too busy to judge times."""
        return Pulse.shared()

    # -- requests ---------------------------------------------------------------------------------------------------

    def sent(self, situation: Situation | None = None, *, base_url: str | None = None, **changes: Any) -> Sent:
        """The endpoint's request as it goes out, in a declared situation where one is named.

        `changes` are keys of a request (params, headers, json, data, method, path) laid over it.
        """
        request = self.endpoint.request if situation is None else self.endpoint.situation(situation)
        if changes:
            request = request.overlaid(type(request).overlay(**changes))
        return self.sent_for(request, base_url=base_url)

    def sent_for(
        self, request: Request, *, base_url: str | None = None, identity: dict[str, Any] | None = None
    ) -> Sent:
        """Any request of the profile as it goes out, with the target's credentials (or another identity's)."""
        proof = self.credentials if identity is None else identity
        params = {**request.params, **proof.get("params", {})}
        headers = {**request.headers, **proof.get("headers", {})}
        body, content_type = _body(request)
        names = {name.lower() for name in headers}
        if content_type and "content-type" not in names:
            headers["Content-Type"] = content_type
        url = _with_params(_joined(base_url or self.profile.base_url, request.path), params)
        pairs = tuple((name, secret(str(value))) for name, value in headers.items())
        return Sent(request.method, url, pairs, body)

    @property
    def credentials(self) -> dict[str, Any]:
        """How requests prove who they are."""
        return {str(part): dict(values) for part, values in self.profile.target.credentials.items()}

    # -- exchanges --------------------------------------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        """The limits of a whole observation."""
        deadline = self.endpoint.deadline
        return Limits(window=self.options.window) if deadline is None else Limits(window=deadline, deadline=True)

    @cached_property
    def observation(self) -> Observation:
        """The endpoint's stream, recorded once and shared by every rule that only reads."""
        if self.recording is not None:
            return Observation(self.recording, self.endpoint)
        self.pulse.start()
        seen = self.observe(self.sent())
        self.keep(seen)
        return seen

    def keep(self, observation: Observation, purpose: str = "") -> None:
        """Save the recording where the run keeps them."""
        if self.options.save is not None:
            name = "-".join(part for part in (_file_name(self.endpoint.name), purpose) if part)
            recordings.save(observation.exchange, self.options.save / f"{name}.json", self.profile.secret_names)

    def observe(self, sent: Sent | None = None, *, limits: Limits | None = None, follow: bool = True) -> Observation:
        """A stream of its own, run to its end or to the end of the window."""
        run = partial(record_following, secret_names=self.profile.secret_names) if follow else record
        exchange = run(
            sent or self.sent(), endpoint=self.endpoint.name, limits=limits or self.limits, transport=self.options.transport,
        )  # fmt: skip
        return self._seen(Observation(exchange, self.endpoint))

    def open(
        self, sent: Sent | None = None, *, limits: Limits | None = None, receive_buffer: int | None = None
    ) -> Stream:
        """A stream under way, to be read, left or stalled by the rule. Redirects are not followed."""
        return Stream(
            sent or self.final_sent, endpoint=self.endpoint.name, limits=limits or self.limits,
            transport=self.options.transport, receive_buffer=receive_buffer,
        )  # fmt: skip

    @cached_property
    def final_sent(self) -> Sent:
        """The request that was answered with the stream, after redirects."""
        seen = self.observation.exchange
        return replace(self.sent(), url=seen.request.url, method=seen.request.method) if seen.redirects else self.sent()

    def view(self, stream: Stream) -> Observation:
        """What a stream under way shows so far."""
        return self._seen(Observation(stream.exchange, self.endpoint, stream.forgotten))

    def _seen(self, observation: Observation) -> Observation:
        exchange = observation.exchange
        if is_refusal(exchange):
            self.refusals.append(exchange)
        if "final_sent" in self.__dict__ and exchange.request.url == self.final_sent.url:
            self.turned_away += (exchange.status or 0) // 100 == 4
        return observation

    def is_spent(self) -> bool:
        """The address that a redirect led to was good for that one request, as a signed one may be."""
        if not self.observation.exchange.redirects:
            return False
        with self.open() as stream:
            stream.until_head()
            return (stream.exchange.status or 0) // 100 == 4

    @property
    def made(self) -> frozenset[str]:
        """The names of what was made once."""
        return frozenset(self._made)

    def forget(self, names: Iterable[str]) -> None:
        """Make these anew where they are asked for again."""
        for name in names:
            self._made.pop(name, None)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all the rules that ask for it under this name."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def together(self, runs: Sequence[Callable[[], T]]) -> list[T]:
        """Run callables at the same time, each in a thread, starting as one; their results in order."""
        barrier = threading.Barrier(len(runs))

        def start(run: Callable[[], T]) -> T:
            barrier.wait()
            return run()

        with ThreadPoolExecutor(len(runs)) as pool:
            return list(pool.map(start, runs))

    @cached_property
    def offers_h2(self) -> bool:
        """The target speaks HTTP/2 when a TLS client offers it (ALPN, RFC 9113 section 3.2)."""
        parts = urlsplit(self.profile.base_url)
        return parts.scheme == "https" and alpn(parts.hostname or "", parts.port or 443, self.options.transport) == "h2"

    # -- what the target shows of itself ----------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """The target's process id, where this run knows it."""
        if self.app is not None:
            return self.app.pid
        probe = self.profile.probe
        return self.options.pid or (probe.pid if probe else None)

    @property
    def process(self) -> ProcessGauge | None:
        """The target's process, counted by its sockets on the target's port."""
        if self.pid is None:
            return None
        parts = urlsplit(self.profile.base_url)
        return ProcessGauge(self.pid, parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def status(self) -> StatusGauge | None:
        """The target's status address, where it has one."""
        probe = self.profile.probe
        if probe and probe.url and probe.active_streams:
            url = joined(self.profile.base_url, probe.url)
            return StatusGauge(url, probe.active_streams, self._proof, self._trust)
        if self.app is not None and self.app.shows_probe:
            return StatusGauge(f"{self.app.url}{PROBE_PATH}", "/active_streams")
        return None

    @property
    def gauge(self) -> Gauge | None:
        """A count of the streams that still run: status address or metric."""
        probe = self.profile.probe
        if self.status is None and probe and probe.metrics:
            url = joined(self.profile.base_url, probe.metrics.url)
            return MetricsGauge(url, probe.metrics.name, self._proof, self._trust)
        return self.status

    @property
    def _proof(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, secret(str(value))) for name, value in self.credentials.get("headers", {}).items())

    @cached_property
    def _trust(self) -> bool | ssl.SSLContext:
        """What a probe over TLS trusts: the same as the streams."""
        return self.options.transport.context() if self.profile.base_url.startswith("https:") else True


def is_refusal(exchange: Exchange) -> bool:
    """The server has no objection to the request, but to so many: a limit of requests or of streams."""
    return exchange.status == 429 or (exchange.status == 503 and bool(exchange.values("retry-after")))


def _joined(base_url: str, path: str) -> str:
    """The path below the base address; an absolute address stands for itself."""
    if path.startswith(("http://", "https://")):
        return path
    return base_url.rstrip("/") + "/" + path.lstrip("/") if path else base_url


def _with_params(url: str, params: dict[str, Any]) -> str:
    if not params:
        return _encoded(url)
    parts = urlsplit(_encoded(url))
    resolved = {name: secret(value) if isinstance(value, str) else value for name, value in params.items()}
    added = urlencode(
        {name: _text(value) for name, value in resolved.items()}, doseq=True, quote_via=quote, errors="surrogatepass"
    )
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, added) if part), fragment=""))


def _encoded(url: str) -> str:
    """The address with what may not stand in a request line percent-encoded; what is encoded stays."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(
            path=quote(parts.path, safe="/%:@!$&'()*+,;=~-._"),
            query=quote(parts.query, safe="%/?:@!$&'()*+,;=~-._[]"),
            fragment="",
        )
    )


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [_text(item) for item in value] if isinstance(value, list) else value


def _body(request: Request) -> tuple[bytes | None, str]:
    if request.json_body is not None:
        return json.dumps(resolved(request.json_body)).encode(), "application/json"
    if request.data is not None:
        return secret(request.data).encode(), "application/x-www-form-urlencoded"
    return (b"", "") if request.method in {"POST", "PUT", "PATCH"} else (None, "")


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "_" for character in name) or "endpoint"
