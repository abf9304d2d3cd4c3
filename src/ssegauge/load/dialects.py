"""How the APIs of language models are asked, and what of an event is text: by preset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ssegauge.errors import UserError
from ssegauge.load.prompts import Conversation
from ssegauge.profile import pointer

Messages = list[dict[str, Any]]

_MOST_TOKENS = 1024  # Anthropic wants a limit in every request


@dataclass(frozen=True)
class Dialect:
    """One API: the body of a request for these messages, and the pointers at the text of its events."""

    body: Callable[[str, Messages], dict[str, Any]]
    text: tuple[str, ...]

    def text_of(self, data: str) -> str:
        """What an event adds to the answer, by its data."""
        document = pointer.payload(data)
        for place in self.text:
            found = pointer.find(document, pointer.parts(place))
            if isinstance(found, str):
                return found
        return ""


def _chat(system: str, messages: Messages) -> dict[str, Any]:
    first: Messages = [{"role": "system", "content": system}] if system else []
    return {"stream": True, "stream_options": {"include_usage": True}, "messages": [*first, *messages]}


def _responses(system: str, messages: Messages) -> dict[str, Any]:
    body: dict[str, Any] = {"stream": True, "input": messages}
    return {**body, "instructions": system} if system else body


def _claude(system: str, messages: Messages) -> dict[str, Any]:
    body: dict[str, Any] = {"stream": True, "max_tokens": _MOST_TOKENS, "messages": messages}
    return {**body, "system": system} if system else body


DIALECTS: Mapping[str, Dialect] = {
    "openai-chat": Dialect(_chat, ("/choices/0/delta/content",)),
    "openai-responses": Dialect(_responses, ("/delta",)),
    "anthropic-messages": Dialect(_claude, ("/delta/text",)),
}


class Chat:
    """One conversation as it goes on. `base`: the body that the profile has; what a prompt says goes before it."""

    def __init__(self, dialect: Dialect, conversation: Conversation, base: Mapping[str, Any] | None = None) -> None:
        self._dialect = dialect
        self._conversation = conversation
        self._base = base or {}
        self._messages: Messages = list(conversation.history)

    def ask(self, turn: Any) -> dict[str, Any]:
        """The body that asks this, with all that was said before. A key that profile or prompt set to null is left out."""
        self._messages.append({"role": "user", "content": turn})
        own = self._dialect.body(self._conversation.system, list(self._messages))
        asked: dict[str, Any] = {name: own[name] for name in ("messages", "input") if name in own}
        body: dict[str, Any] = {**own, **self._base, **asked, **self._conversation.body}
        return {name: value for name, value in body.items() if value is not None}

    def hear(self, answer: str) -> None:
        """The answer becomes a part of what was said."""
        self._messages.append({"role": "assistant", "content": answer})

    def text_of(self, data: str) -> str:
        """See `Dialect.text_of`."""
        return self._dialect.text_of(data)


def dialect_of(preset: str | None, name: str) -> Dialect:
    """The dialect of an endpoint's preset. Raises UserError where it has none."""
    found = DIALECTS.get(preset or "")
    if found is None:
        raise UserError(
            f"{name}: llm_chat asks by the API's preset: --preset (or preset in the profile) is one of {', '.join(DIALECTS)}"
        )
    return found
