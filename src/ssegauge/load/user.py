"""A Locust user that opens event streams."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Literal, NoReturn, overload

import gevent
from locust import User
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import LocalRunner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from ssegauge.client.request import OwnValue
from ssegauge.errors import UserError
from ssegauge.load import hooks as _hooks  # noqa: F401 - declares our arguments and hooks into the run
from ssegauge.load.conductor import conductor_of
from ssegauge.load.connect import basic
from ssegauge.load.contract import Delivery
from ssegauge.load.cookies import Cookies
from ssegauge.load.deadlines import Timeouts
from ssegauge.load.outcome import Outcome, StreamFailed
from ssegauge.load.request import body_of, headers_of, with_params
from ssegauge.load.session import Session, session_of
from ssegauge.load.target import Call
from ssegauge.load.visit import Plan, Visit
from ssegauge.profile.endpoint import Endpoint
from ssegauge.redaction import redact_url

logger = logging.getLogger("ssegauge.load")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_LAST_EVENT_ID = "Last-Event-ID"
_FORM = "application/x-www-form-urlencoded"  # what a check says of a profile's `data`, as curl does
_REFUSED_SECONDS = 1.0


class SseUser(User):
    """Opens streams, judges each, and tells Locust of each once.

    class Reader(SseUser):
        @task
        def read(self):
            outcome = self.stream("GET", "/stream")            # to its end

        @task
        def react(self):
            with self.stream("GET", "/stream", events=True) as stream:
                for event in stream:                             # as they come
                    if event.type == "ready":
                        stream.leave()
    """

    abstract = True
    is_called_off: bool
    """It was told to stop while it waited between two streams, and will be ended in the next turn of the loop."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.cookies = Cookies()
        self.is_called_off = False

    def stop(self, force: bool = False) -> bool:
        """See Locust. It ends at once whoever waits between two streams, but a turn of the loop later: until then no
        further stream begins, which would be cut as soon as it had.
        """
        self.is_called_off = self._state != LOCUST_STATE_RUNNING
        return bool(super().stop(force=force))

    @property
    def session(self) -> Session:
        """What the users of this process share."""
        return session_of(self.environment)

    @overload
    def stream(
        self, method: str | None = None, path: str | None = None, *, events: Literal[False] = False, **request: Any
    ) -> Outcome: ...

    @overload
    def stream(
        self, method: str | None = None, path: str | None = None, *, events: Literal[True], **request: Any
    ) -> Visit: ...

    def stream(
        self, method: str | None = None, path: str | None = None, *, events: bool = False, **request: Any
    ) -> Outcome | Visit:
        """Read one stream to its end and return what became of it; with `events`, a context manager that iterates.

        `path` is one below the host, or a whole address. `endpoint`: one of the profile (or its name), whose request
        and contract hold; what is said here goes before it. Without path and endpoint those of the run come in turn.
        Further: name, headers, params, json, data, cookies,
        auth (a pair, or an Authorization value), timeouts (Timeouts), verify (False, or a file of authorities),
        proxy, redirects (how many are followed), last_event_id, delivery (what a logical stream has received on
        earlier connections), intended (when the stream should have started, in monotonic nanoseconds), leave_after
        (seconds until we close it ourselves), reset (by RST instead of FIN), again (this is a reconnect).

        A failed stream raises nothing: see `Outcome.verdict`. Raises Locust's StopUser where the user has been told to
        stop while it waited.
        """
        if self.is_called_off:
            raise StopUser
        try:
            plan = self._plan(method, path, **request)
        except UserError as error:
            self.give_up(error)
        visit = Visit(plan, self.session, self._tell, iterates=events)
        return visit if events else visit.run()

    def hold(self) -> Outcome:
        """One stream of the run's endpoints, to its end; then a second's pause if it was refused, so as not to hammer."""
        outcome = self.stream()
        if outcome.verdict in ("connect_error", "http_error"):
            self.pause(_REFUSED_SECONDS)
        return outcome

    def settle(self, delivery: Delivery, name: str) -> None:
        """A logical stream has made its last connection: what it still lacks is lost."""
        if delivery.lost:
            self.session.recorder.lost(name, delivery.lost)

    def pause(self, seconds: float) -> None:
        """Wait between two streams. Unlike gevent.sleep it lets Locust stop the user at once.

        Raises Locust's StopUser where the user was told to stop while its last stream was open.
        """
        if self._state == LOCUST_STATE_STOPPING:
            raise StopUser
        self._state = LOCUST_STATE_WAITING
        gevent.sleep(seconds)
        self._state = LOCUST_STATE_RUNNING

    def give_up(self, error: UserError) -> NoReturn:
        """No stream of this run can be better: say why, once, and end it. Raises StopUser.

        Locust's StopTest, raised in a task, ends that user alone and says nothing.
        """
        environment, runner = self.environment, self.environment.runner
        notes = conductor_of(environment).collector.notes
        if str(error) not in notes:
            notes.append(str(error))
            logger.error("%s", error)
            environment.process_exit_code = error.exit_code
            if isinstance(runner, LocalRunner):
                headless = getattr(environment.parsed_options, "headless", False)
                gevent.spawn(runner.quit if headless else runner.stop)
        raise StopUser(str(error))

    def _plan(
        self,
        method: str | None,
        path: str | None,
        *,
        endpoint: Endpoint | str | None = None,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: str | bytes | Mapping[str, Any] | None = None,
        cookies: dict[str, str] | None = None,
        auth: tuple[str, str] | str | None = None,
        timeouts: Timeouts | None = None,
        verify: bool | str | None = None,
        proxy: str | None = None,
        last_event_id: str = "",
        **rest: Any,
    ) -> Plan:
        session = self.session
        endpoint = self._endpoint(endpoint, path)
        call = session.target.call(endpoint.request) if endpoint is not None else Call("GET", "", {}, {}, None, None)
        own = json is not None or data is not None
        body, content_type = body_of(json, data) if own else body_of(call.json, call.data, text_type=_FORM)
        # the name goes into Locust's tables, CSV files and pages as well as into ours
        name = name or (endpoint.name if endpoint is not None else redact_url(path or "", session.target.secret_names))
        declared = endpoint or session.bare(name)
        url = with_params(session.target.url(path) if path is not None else call.url, {**call.params, **(params or {})})
        resume = declared.resume
        again = resume.method if resume is not None and last_event_id else None
        if again:
            body, content_type = b"", None  # what is asked for by another method is known by its id
        said = headers_of(
            {**call.headers, **(headers or {}), **_authorization(auth)},
            content_type=content_type,
            last_event_id=last_event_id,
            resume_header=resume.header if resume is not None else _LAST_EVENT_ID,
        )
        method = again or method or call.method
        if not _TOKEN.fullmatch(method):
            raise UserError(f"{method!r} is no method of HTTP")
        value = OwnValue()
        return Plan(
            endpoint=declared,
            name=name,
            method=method,
            url=value.into(url),
            headers={field: value.into(text) for field, text in said.items()},
            body=value.into_body(body),
            route=session.route(verify=verify, proxy=proxy, http2=declared.http2),
            timeouts=timeouts or session.timeouts,
            cookies=self.cookies,
            extra_cookies=cookies,
            secret_names=session.target.secret_names,
            last_event_id=last_event_id,
            **rest,
        )

    def _endpoint(self, said: Endpoint | str | None, path: str | None) -> Endpoint | None:
        """The one that is meant; the next of the run where nothing is said at all."""
        if isinstance(said, str):
            return self.session.target.endpoint(said)
        return self.session.next_endpoint() if said is None and path is None else said

    def _tell(self, outcome: Outcome) -> None:
        session = self.session
        session.recorder.ended(outcome)
        self.environment.events.request.fire(
            request_type=f"SSE {session.measure}",
            name=outcome.endpoint,
            response_time=outcome.ms(session.measure),
            response_length=outcome.bytes,
            exception=StreamFailed(outcome, session.text_of(outcome)) if outcome.failed else None,
            context=self.context(),
            response=None,
        )


def _authorization(auth: tuple[str, str] | str | None) -> dict[str, str]:
    if auth is None:
        return {}
    return {"Authorization": auth if isinstance(auth, str) else basic(*auth)}
