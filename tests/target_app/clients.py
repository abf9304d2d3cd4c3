"""How the official clients read a stream, told in a few words: sync and async, raw events and the helper that sums up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx2
import openai

MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
CHAT: dict[str, Any] = {"model": "simulated", "messages": MESSAGES}
RESPONSES: dict[str, Any] = {"model": "simulated", "input": "What is SSE?"}
CLAUDE: dict[str, Any] = {"model": "simulated", "messages": MESSAGES, "max_tokens": 100}
REQUESTS = {"/v1/chat/completions": CHAT, "/v1/responses": RESPONSES, "/v1/messages": CLAUDE}

# The environment's proxies are none of the tests' business.
_OPENAI = {"api_key": "none", "max_retries": 0}


def openai_client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url + "/v1", http_client=httpx2.Client(trust_env=False), **_OPENAI)


def async_openai_client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=url + "/v1", http_client=httpx2.AsyncClient(trust_env=False), **_OPENAI)


def anthropic_client(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, http_client=httpx2.Client(trust_env=False), **_OPENAI)


def async_anthropic_client(url: str) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=url, http_client=httpx2.AsyncClient(trust_env=False), **_OPENAI)


# -- what an event adds to the text


def of_chat(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def of_responses(event: Any) -> str:
    return str(event.delta) if event.type == "response.output_text.delta" else ""


def of_messages(event: Any) -> str:
    return str(event.delta.text) if event.type == "content_block_delta" else ""


# -- to the end of the stream; returns the text


def chat(url: str) -> str:
    with openai_client(url) as client, client.chat.completions.create(**CHAT, stream=True) as stream:
        return "".join(of_chat(chunk) for chunk in stream)


def chat_summed(url: str) -> str:
    with openai_client(url) as client, client.chat.completions.stream(**CHAT) as stream:
        return str(stream.get_final_completion().choices[0].message.content)


def responses(url: str) -> str:
    with openai_client(url) as client, client.responses.create(**RESPONSES, stream=True) as stream:
        return "".join(of_responses(event) for event in stream)


def responses_summed(url: str) -> str:
    with openai_client(url) as client, client.responses.stream(**RESPONSES) as stream:
        return stream.get_final_response().output_text


def messages(url: str) -> str:
    with anthropic_client(url) as client, client.messages.create(**CLAUDE, stream=True) as stream:
        return "".join(of_messages(event) for event in stream)


def messages_summed(url: str) -> str:
    with anthropic_client(url) as client, client.messages.stream(**CLAUDE) as stream:
        return str(stream.get_final_message().content[0].text)  # type: ignore[union-attr]


async def async_chat(url: str) -> str:
    async with async_openai_client(url) as client, await client.chat.completions.create(**CHAT, stream=True) as stream:
        return "".join([of_chat(chunk) async for chunk in stream])


async def async_chat_summed(url: str) -> str:
    async with async_openai_client(url) as client, client.chat.completions.stream(**CHAT) as stream:
        return str((await stream.get_final_completion()).choices[0].message.content)


async def async_responses(url: str) -> str:
    async with async_openai_client(url) as client, await client.responses.create(**RESPONSES, stream=True) as stream:
        return "".join([of_responses(event) async for event in stream])


async def async_responses_summed(url: str) -> str:
    async with async_openai_client(url) as client, client.responses.stream(**RESPONSES) as stream:
        return (await stream.get_final_response()).output_text


async def async_messages(url: str) -> str:
    async with async_anthropic_client(url) as client, await client.messages.create(**CLAUDE, stream=True) as stream:
        return "".join([of_messages(event) async for event in stream])


async def async_messages_summed(url: str) -> str:
    async with async_anthropic_client(url) as client, client.messages.stream(**CLAUDE) as stream:
        return str((await stream.get_final_message()).content[0].text)  # type: ignore[union-attr]


Reader = Callable[[str], str]
AsyncReader = Callable[[str], Awaitable[str]]

READERS: dict[str, tuple[Reader, AsyncReader]] = {
    "chat": (chat, async_chat),
    "chat, summed": (chat_summed, async_chat_summed),
    "responses": (responses, async_responses),
    "responses, summed": (responses_summed, async_responses_summed),
    "messages": (messages, async_messages),
    "messages, summed": (messages_summed, async_messages_summed),
}
"""By column of the table in docs/llm-clients.md."""


def told(read: Callable[[], str], whole: int) -> str:
    """What became of reading: the words that came, of so many, or the error that was raised."""
    try:
        text = read()
    except Exception as error:  # noqa: BLE001 - which error it is, is the question
        return f"`{type(error).__name__}`"
    words = len(text.split())
    return f"all {whole}" if words == whole else f"**{words} of {whole}**"
