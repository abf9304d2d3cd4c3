"""What the simulated model says: the same for the same seed and conversation, word by word."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..stream import Stream

# Seconds at pace 1: until the first token, and between tokens. A middling hosted model does some 20 tokens a second.
FIRST_TOKEN_S = 0.4
TOKEN_S = 0.05

MOST_TOKENS = 10_000

# 2026-01-01, whatever the time: the same answer is the same bytes.
CREATED = 1_767_225_600

_TEXT = (
    "a stream is read as it comes and the client shows each word at once while the server still thinks about "
    "what follows so nobody waits for an answer that has begun long before its end"
)
_WORDS = tuple(_TEXT.split())
_SENTENCE = 9  # words


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is its JSON Schema."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, cut into tokens: of its text, or of the arguments of the tool that it calls."""

    key: str
    tokens: tuple[str, ...]
    tool: str | None = None
    limited: bool = False
    """Whether the limit of tokens ended it."""
    prompt_tokens: int = 0

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.tokens)

    def id(self, prefix: str) -> str:
        """An identifier that belongs to this answer."""
        return prefix + self.key


def answer(
    conversation: Any, *, seed: int | None, tokens: int, limit: int | None = None, tool: Tool | None = None
) -> Answer:
    """The answer to a conversation (JSON): so many tokens, or fewer where `limit` is lower, or a call of the tool."""
    said = json.dumps(conversation, sort_keys=True)
    key = hashlib.sha256(f"{seed}\n{said}".encode()).hexdigest()[:24]
    dice = random.Random(key)
    spoken = _arguments(tool, dice) if tool is not None else _sentences(dice, tokens)
    limited = limit is not None and len(spoken) > limit
    return Answer(
        key=key,
        tokens=spoken[:limit],
        tool=None if tool is None else tool.name,
        limited=limited,
        prompt_tokens=len(said.split()),
    )


async def spoken(said: Answer, stream: Stream) -> AsyncIterator[str]:
    """The tokens at the pace of a model."""
    for number, token in enumerate(said.tokens):
        await stream.pause(TOKEN_S if number else FIRST_TOKEN_S)
        yield token


def _sentences(dice: random.Random, tokens: int) -> tuple[str, ...]:
    words = []
    for number in range(tokens):
        word = dice.choice(_WORDS)
        ends = number % _SENTENCE == _SENTENCE - 1 or number == tokens - 1
        word = word.capitalize() if number % _SENTENCE == 0 else word
        words.append(("" if number == 0 else " ") + word + ("." if ends else ""))
    return tuple(words)


def _arguments(tool: Tool, dice: random.Random) -> tuple[str, ...]:
    properties = tool.parameters.get("properties")
    names = properties if isinstance(properties, dict) else {}
    text = json.dumps({name: _value(schema, dice) for name, schema in names.items()})
    return tuple(text[at : at + 6] for at in range(0, len(text), 6))


def _value(schema: Any, dice: random.Random) -> Any:
    if not isinstance(schema, dict):
        return None
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    samples = {"integer": dice.randrange(100), "number": 0.5, "boolean": True, "array": [], "object": {}}
    kind = schema.get("type")
    return samples.get(kind, dice.choice(_WORDS)) if isinstance(kind, str) else None


def chosen(tools: Sequence[Tool], choice: Any, *, called: bool) -> Tool | None:
    """The tool to call: the one that `choice` names, else the first, unless it was `called` or calls are forbidden."""
    if not tools or called or choice == "none" or _said(choice, "type") == "none":
        return None
    named = _said(choice, "name") or _said(_said(choice, "function"), "name")
    return next((tool for tool in tools if tool.name == named), tools[0])


def _said(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
