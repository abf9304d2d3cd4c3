"""What simulated people ask: read from a file, drawn by weight and seed.

A file is JSON Lines, a JSON array, or plain text with a prompt a line. A line is a text, or an object:

    {"prompt": "What is SSE?", "weight": 3}
    {"turns": ["What is SSE?", "And why not WebSockets?"], "system": "Be brief."}
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", …}]}
    {"prompt": "Long one", "body": {"max_tokens": 900, "temperature": 0}}
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from ssegauge import text_file
from ssegauge.errors import UserError

_KEYS = {"prompt", "turns", "messages", "weight", "system", "body"}


@dataclass(frozen=True)
class Conversation:
    """What one person asks, in turn. `history`: messages before the first turn; `body`: laid over each request."""

    turns: tuple[str, ...]
    weight: float = 1.0
    system: str = ""
    history: tuple[dict[str, Any], ...] = ()
    body: dict[str, Any] = field(default_factory=dict)


class Prompts:
    """Conversations, drawn by their weights."""

    def __init__(self, conversations: Sequence[Conversation]) -> None:
        self.conversations = list(conversations)
        self._sums = list(accumulate(conversation.weight for conversation in conversations))

    def draw(self, dice: random.Random) -> Conversation:
        """One of them, the likelier the heavier."""
        return dice.choices(self.conversations, cum_weights=self._sums)[0]


def read_prompts(path: str | Path) -> Prompts:
    """The conversations in this file. Raises UserError, with the line where there is one."""
    text = text_file.read(path)
    conversations = [_conversation(item, f"{path}:{line}") for line, item in _items(text, str(path))]
    if not conversations:
        raise UserError(f"{path}: holds no prompt")
    if not any(conversation.weight for conversation in conversations):
        raise UserError(f"{path}: every weight is 0")
    return Prompts(conversations)


def _items(text: str, path: str) -> list[tuple[int, Any]]:
    if text.lstrip().startswith("["):
        try:
            return [(1, item) for item in json.loads(text)]
        except ValueError as error:
            raise UserError(f"{path}: not valid JSON: {error}") from error
    items: list[tuple[int, Any]] = []
    is_text = path.endswith(".txt")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            items.append((number, line.strip() if is_text else _item(line, f"{path}:{number}")))
    return items


def _item(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise UserError(f"{where}: not valid JSON: {error}; a file of plain prompts is named .txt") from error


def _conversation(item: Any, where: str) -> Conversation:
    if isinstance(item, str):
        item = {"prompt": item}
    if not isinstance(item, dict):
        raise UserError(f"{where}: expected a text, or an object with prompt, turns or messages")
    unknown = item.keys() - _KEYS
    if unknown:
        raise UserError(f"{where}: unknown key {min(unknown)!r}; there are {', '.join(sorted(_KEYS))}")
    weight = item.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
        raise UserError(f"{where}: weight: expected a number that is not negative")
    if not isinstance(item.get("body", {}), dict) or not isinstance(item.get("system", ""), str):
        raise UserError(f"{where}: body is an object and system a text")
    turns, history = _said(item, where)
    return Conversation(turns, float(weight), item.get("system", ""), history, item.get("body", {}))


def _said(item: dict[str, Any], where: str) -> tuple[tuple[str, ...], tuple[dict[str, Any], ...]]:
    given = item.keys() & {"prompt", "turns", "messages"}
    if len(given) != 1:
        raise UserError(f"{where}: expected exactly one of prompt, turns and messages")
    if "messages" in item:
        messages = item["messages"]
        if not (isinstance(messages, list) and messages and all(_is_message(message) for message in messages)):
            raise UserError(f"{where}: messages: expected objects with role and content")
        return (messages[-1]["content"],), tuple(messages[:-1])
    turns = [item["prompt"]] if "prompt" in item else item["turns"]
    if not (isinstance(turns, list) and turns and all(isinstance(turn, str) and turn for turn in turns)):
        raise UserError(f"{where}: {min(given)}: expected text")
    return tuple(turns), ()


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("role"), str) and message.get("content") is not None
