"""Byte streams made by dice: near misses of every construct of the format, the same for the same seed."""

from __future__ import annotations

import itertools
import random

TYPES = ("a", "b", "message", "error", "open", "tick", "é", "a b", "\ufffd")
_NAMES = (b"data", b"event", b"id", b"retry", b"Data", b"dat", b"data ", b"", b"\xef\xbb\xbfdata", b"x-y", b"event\0")
_ENDS = (b"\n", b"\r", b"\r\n")
_VALUES = (
    *(b"", b"a", b"b", b" a", b"  a", b"a ", b"\ta", b":a", b"{}", b'{"x": [1]}', b"7", b"08", b"-1", b"tick"),
    *(b"error", b"open", b"message", "é".encode(), "é".encode("latin-1"), b"a b", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80"),
    *("€ 😀".encode(), "😀".encode()[:3], "a\u2028b\u0085c".encode(), b"\x0b\x0c\x1c\x1d", b"\xef\xbb\xbf", b"x" * 3000),
)  # fmt: skip


def _line(dice: random.Random, end: bytes) -> bytes:
    name = dice.choice(_NAMES) if dice.random() < 0.25 else dice.choice(_NAMES[:3])
    colon = dice.choice((b":", b": ", b": ", b": ", b":  ", b"", b" :"))
    value = dice.choice(_VALUES) if colon else b""
    return name + colon + value + end


def stream(seed: int) -> bytes:
    """One stream."""
    dice = random.Random(seed)
    style = dice.choice((b"\n", b"\r", b"\r\n", None))
    parts = [dice.choice((b"", b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf"))]
    for _ in range(dice.randrange(1, 9)):
        for _ in range(dice.randrange(1, 5)):
            kind = dice.random()
            end = style if style is not None and dice.random() < 0.9 else dice.choice(_ENDS)
            if kind < 0.08:
                parts.append(b":" + dice.choice(_VALUES) + end)
            elif kind < 0.12:
                parts.append(dice.randbytes(dice.randrange(1, 12)))
            else:
                parts.append(_line(dice, end))
        parts.append((style or dice.choice(_ENDS)) * dice.choice((1, 1, 1, 1, 2, 0)))
    body = b"".join(parts)
    return body[: dice.randrange(len(body) + 1)] if dice.random() < 0.2 else body


def pieces(body: bytes, seed: int) -> list[bytes]:
    """The body whole, mostly, and otherwise cut at a few places."""
    dice = random.Random(f"cuts of {seed}")
    if dice.random() < 0.7 or len(body) < 2:
        return [body]
    cuts = sorted({0, len(body), *(dice.randrange(len(body)) for _ in range(3))})
    return [body[start:end] for start, end in itertools.pairwise(cuts)]
