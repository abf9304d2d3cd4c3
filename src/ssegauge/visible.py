"""Text from a server as people may safely see it: nothing unprintable, nothing that a terminal obeys."""

from __future__ import annotations

import unicodedata

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\\": "\\\\"}
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, formats (bidi marks among them), surrogates, private and unassigned, line and paragraph separators."""


def visible(data: bytes | str, most: int = 200) -> str:
    r"""`data` on one line with everything invisible escaped; past `most` characters it is cut and says so.

    Bytes that are no UTF-8 appear as ``\xNN``, characters as ``\uNNNN``.
    """
    text = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    shown = "".join(map(_character, text[:most]))
    return shown + (
        f"… ({len(data)} {'bytes' if isinstance(data, bytes) else 'characters'})" if len(text) > most else ""
    )


def _character(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that surrogateescape kept
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character
