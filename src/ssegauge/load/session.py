"""What all users of one process share: the reader, the ledger, the compiled contracts, and the options of the run."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from weakref import WeakKeyDictionary

from locust.env import Environment

from ssegauge.load import goodput
from ssegauge.load.addresses import Sources
from ssegauge.load.connect import Route, default_context
from ssegauge.load.contract import Contract
from ssegauge.load.deadlines import Timeouts
from ssegauge.load.http2_pool import Http2Pool
from ssegauge.load.ledger import MAX_MESSAGES
from ssegauge.load.options import HTTP2_STREAMS
from ssegauge.load.outcome import Outcome
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder
from ssegauge.load.selfwatch import SelfWatch
from ssegauge.load.target import LoadTarget, target_of
from ssegauge.load.transport import keep_stamping
from ssegauge.profile.endpoint import Endpoint

_NO_LIMIT = 86_400.0  # seconds; Linux itself gives up to connect after two minutes (tcp_syn_retries, tcp(7))


@dataclass
class Session:
    """One process's half of a run."""

    environment: Environment
    reader: Reader
    recorder: Recorder
    watch: SelfWatch
    http2: Http2Pool
    timeouts: Timeouts
    measure: str = "first_event"
    json_share: float = 1.0
    schema_share: float = 0.1
    limits: dict[str, float] = field(default_factory=dict)
    proxy: str | None = None
    sources: Sources | None = None
    _contracts: dict[int, tuple[Endpoint, Contract]] = field(default_factory=dict)
    _bare: dict[str, Endpoint] = field(default_factory=dict)
    _texts: set[str] = field(default_factory=set)
    _target: LoadTarget | None = None
    _turn: Iterator[Endpoint] | None = None

    @property
    def target(self) -> LoadTarget:
        """The profile, or what --host says, read where it is asked for first. Raises UserError."""
        if self._target is None:
            self._target = target_of(self.environment)
        return self._target

    def contract(self, endpoint: Endpoint) -> Contract:
        """The compiled contract of an endpoint."""
        found = self._contracts.get(id(endpoint))
        if found is None or found[0] is not endpoint:
            found = self._contracts[id(endpoint)] = (
                endpoint,
                Contract(endpoint, json_share=self.json_share, schema_share=self.schema_share, limits=self.limits),
            )
        return found[1]

    def next_endpoint(self) -> Endpoint:
        """The endpoints that --sse-endpoint names, in turn. Raises UserError."""
        if self._turn is None:
            self._turn = cycle(self.target.endpoints(option(self.environment, "sse_endpoint", None)))
        return next(self._turn)

    def text_of(self, outcome: Outcome) -> str:
        """What Locust counts a failure by; past a hundred different texts, which a server may make up, its verdict."""
        text = outcome.message
        if text not in self._texts and len(self._texts) >= MAX_MESSAGES:
            return f"{outcome.verdict}: others"
        self._texts.add(text)
        return text

    def bare(self, name: str) -> Endpoint:
        """An endpoint of which nothing is declared."""
        found = self._bare.get(name)
        if found is None:
            found = self._bare[name] = Endpoint(name=name)
        return found

    def route(self, *, verify: bool | str | None, proxy: str | None, http2: bool = False) -> Route:
        """How to connect: TLS context, proxy, our own addresses, and by which version of HTTP."""
        target = self.target
        context = target.tls_context(http2=http2) if verify is None else default_context(verify, http2=http2)
        return Route(proxy or self.proxy, context, self.sources, http2)


_sessions: WeakKeyDictionary[Environment, Session] = WeakKeyDictionary()


def session_of(environment: Environment) -> Session:
    """The session of this process, begun where it is asked for first."""
    found = _sessions.get(environment)
    if found is None:
        found = _sessions[environment] = _begin(environment)
    return found


def forget(environment: Environment) -> None:
    """Begin anew with the next stream: options may have changed between two runs."""
    found = _sessions.get(environment)
    if found is not None:
        found.http2.close_idle()
    if found is not None and not found.reader.open_sockets:
        del _sessions[environment]


def option(environment: Environment, name: str, otherwise: Any = None) -> Any:
    """An option of ours; `otherwise` where it was left empty, or where Locust was not started by its command line."""
    value = getattr(environment.parsed_options, name, None)
    return otherwise if value in (None, "") else value


def _begin(environment: Environment) -> Session:
    raise_file_limit()
    keep_stamping()
    defaults = Timeouts()
    watch = SelfWatch()
    reader = Reader(on_sweep=watch.swept)
    recorder = Recorder(reader.clock)
    watch.attach(recorder)
    sources = [part.strip() for part in option(environment, "sse_source_addresses", "").split(",") if part.strip()]
    return Session(
        environment=environment,
        reader=reader,
        recorder=recorder,
        watch=watch,
        http2=Http2Pool(reader, recorder, option(environment, "sse_http2_streams", HTTP2_STREAMS)),
        timeouts=Timeouts(
            connect=option(environment, "sse_connect_timeout", defaults.connect) or _NO_LIMIT,
            first_byte=option(environment, "sse_first_byte_timeout", defaults.first_byte) or None,
            idle=option(environment, "sse_idle_timeout", defaults.idle) or None,
            total=option(environment, "sse_total_timeout", 0.0) or None,
        ),
        measure=option(environment, "sse_measure", "first_event"),
        json_share=option(environment, "sse_json_share", 1.0),
        schema_share=option(environment, "sse_schema_share", 0.1),
        limits=goodput.stated(option(environment, "sse_goodput", "")),
        proxy=option(environment, "sse_proxy", None),
        sources=Sources(sources) if sources else None,
    )


def raise_file_limit() -> None:
    """As many open files as the system lets us have; Locust itself stops at 10,000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
