"""People chat with a language model: prompts from a file, turn by turn, time to think, arrivals of their own.

    locust -f loadtests/llm_chat.py --sse-target sse-target.toml --sse-prompts prompts.jsonl -u 50 -r 5 -t 5m --headless

Each user draws a conversation (by weight), asks, reads the answer to its end, thinks (`--sse-think`, on average, spread
exponentially), asks the next turn with all that was said before, and begins anew. With `--sse-rate` conversations
begin on their own schedule, whether or not those before have ended; `-u` is then how many may go on at once, and one
that finds no free user is counted (`dropped_arrivals`), not made later. A prompts file has a prompt a line (.txt) or
an object a line: {"prompt": …} or {"turns": […]}, with "weight", "system" and "body" beside it.
"""

from __future__ import annotations

import random
from typing import Any

from locust import events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from ssegauge.errors import UserError
from ssegauge.load import (
    Chat,
    Conversation,
    Dispatcher,
    Prompts,
    SseUser,
    arguments,
    conductor_of,
    dialect_of,
    open_arrivals,
    option,
    read_prompts,
    share_of,
)
from ssegauge.load.target import target_of
from ssegauge.profile.endpoint import Endpoint
from ssegauge.verdict import Verdict

_REFUSED_SECONDS = 1.0  # whoever was refused does not knock again at once
_WITHOUT_FILE = Prompts([Conversation(("Say hello.",))])


def declare(parser: Any) -> None:
    """The scenario's own arguments."""
    add = arguments(parser, "llm_chat")
    add("prompts", "", "FILE", "what is asked: JSONL, JSON, or .txt with a prompt a line; default: one short greeting")
    add("think", 0.0, "SECONDS", "between an answer and the next question, on average")
    add("rate", 0.0, "PER_SECOND", "conversations that begin; 0: each user begins anew when it is through")
    add("arrivals", "poisson", None, "how they are spaced", ("poisson", "constant"))
    parser.set_defaults(sse_measure="first_match")


class Talker(SseUser):
    """Talks to the model, one conversation after the other."""

    prompts = _WITHOUT_FILE
    mistake: UserError | None = None
    dispatcher: Dispatcher
    born = 0

    def on_start(self) -> None:
        """Its own dice: the same in each run, others for each user."""
        index, _of = share_of(self.environment)
        self.dice = random.Random(f"{option(self.environment, 'sse_seed', 1)}/{index}/{Talker.born}")
        Talker.born += 1

    @task
    def talk(self) -> None:
        """One conversation."""
        if self.mistake is not None:
            self.give_up(self.mistake)
        intended = 0
        endpoint = None
        if option(self.environment, "sse_rate", 0.0) > 0:
            intended, endpoint = self.dispatcher.next(self)
        target = self.session.target
        found = target.endpoint(endpoint) if endpoint else self.session.next_endpoint()
        conversation = self.prompts.draw(self.dice)
        try:
            chat = Chat(dialect_of(found.preset, found.name), conversation, target.call(found.request).json)
        except UserError as error:
            self.give_up(error)
        last = len(conversation.turns) - 1
        for number, turn in enumerate(conversation.turns):
            verdict = self.ask(found, chat, turn, intended, goes_on=number < last)
            if verdict in ("connect_error", "http_error"):
                self.pause(_REFUSED_SECONDS)
            if verdict != "complete":
                return
            intended = 0
            self.think()

    def ask(self, endpoint: Endpoint, chat: Chat, turn: Any, intended: int, *, goes_on: bool) -> Verdict:
        """One question and its answer, which is listened to where the talk goes on: how the stream ended."""
        asked = chat.ask(turn)
        if not goes_on:
            return self.stream("POST", endpoint=endpoint, json=asked, intended=intended).verdict
        with self.stream("POST", endpoint=endpoint, json=asked, intended=intended, events=True) as stream:
            chat.hear("".join([chat.text_of(event.data) for event in stream]))
        assert stream.outcome is not None  # noqa: S101 - for the type checker: the stream is over
        return stream.outcome.verdict

    def think(self) -> None:
        """The time that a person takes to read and to type."""
        seconds = option(self.environment, "sse_think", 0.0)
        self.pause(self.dice.expovariate(1 / seconds) if seconds > 0 else 0.0)


def prompts_of(environment: Environment) -> Prompts:
    """What is asked in this run, of endpoints that can be asked. Raises UserError."""
    if environment.host or option(environment, "sse_target"):  # else the web page asks for the host
        for endpoint in target_of(environment).endpoints(option(environment, "sse_endpoint")):
            dialect_of(endpoint.preset, endpoint.name)
    file = option(environment, "sse_prompts", "")
    return read_prompts(file) if file else _WITHOUT_FILE


def install(environment: Environment, **_: Any) -> None:
    """One schedule for all users of this process."""
    if not isinstance(environment.runner, WorkerRunner):
        conductor_of(environment).check(lambda: prompts_of(environment))
    Talker.dispatcher = open_arrivals(environment)


def begin(environment: Environment, **_: Any) -> None:
    """Read the prompts; the same dice in a run that is started again."""
    Talker.born = 0
    try:
        Talker.prompts, Talker.mistake = prompts_of(environment), None
    except UserError as error:
        Talker.mistake = error  # a worker may lack what its master has


events.init_command_line_parser.add_listener(declare)
events.test_start.add_listener(begin)
events.init.add_listener(install)
