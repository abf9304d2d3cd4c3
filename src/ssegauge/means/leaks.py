"""What a text for users gives away of the inside (CWE-209): stack traces, paths of files, SQL, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Leak(NamedTuple):
    """What was given away, and the words that show it; a secret is shortened."""

    what: str
    quote: str


def leaks(text: str) -> Iterator[Leak]:
    """What this text gives away, one entry for each kind at most."""
    for what, pattern in _PATTERNS:
        found = pattern.search(text)
        if found is not None:
            yield Leak(what, f"{found[0][:6]}…" if what == "a secret" else found[0])


_SOURCE = r"(?:py|pyx|js|mjs|cjs|ts|tsx|jsx|java|kt|scala|go|rb|php|rs|cs|c|cc|cpp|h|ex|exs|pl|lua|swift|so|dll|jar)"
_SETTINGS = r"(?:env|ini|cfg|conf|toml|ya?ml|pem|key|sqlite3?|db)"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "a stack trace",
        re.compile(
            r"Traceback \(most recent call last\)"
            r'|File "[^"]+", line \d+'
            r"|^\s*at [\w$.<>\[\] ]+ ?\([^)\n]*:\d+(?::\d+)?\)"  # JavaScript, Java
            r"|^\s*at \S+\.\w+\([\w, ]*\) in .+:line \d+"  # .NET
            r"|\bgoroutine \d+ \[\w+"
            r"|\bpanicked at [^\s:]+:\d+"
            r"|^\s*#\d+ \S+\(\d+\): "  # PHP
            r"|:\d+:in [`']\w+",  # Ruby
            re.MULTILINE,
        ),
    ),
    (
        "the path of a file",
        re.compile(
            rf"(?<![\w/:.~-])(?:/[\w.+@-]+){{2,}}\.(?:{_SOURCE}|{_SETTINGS})\b(?![/\w-])"
            rf"|\b[A-Za-z]:\\(?:[^\\\s:\"]+\\)*[^\\\s:\"]+\.\w{{1,6}}\b"
            r"|(?<![\w/:.])/(?:(?:home|root|etc|var|usr|opt|srv)/[\w.+@-]+|Users(?:/[\w.+@-]+){2})(?:/[\w.+@-]+)+"
        ),
    ),
    (
        "SQL",
        re.compile(
            r"\bSELECT\b[\s\S]{1,300}?\bFROM\s+[\w\"`\[]|\bINSERT\s+INTO\s+[\w\"`\[]|\bDELETE\s+FROM\s+[\w\"`\[]"
            r"|\bUPDATE\s+[\w\"`\[.\]]+\s+SET\s"
            r"|\bSQLSTATE\[|\bORA-\d{5}\b|near \"[^\"]+\": syntax error|syntax error at or near"
            r"|error in your SQL syntax|\b(?:psycopg2?|sqlalchemy|sqlite3|pymysql|asyncpg)\.\w+"
        ),
    ),
    (
        "a secret",
        re.compile(
            r"\bsk-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
            r"|\bAIza[0-9A-Za-z_-]{30,}|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+|-----BEGIN [A-Z ]*PRIVATE KEY-----"
            r"|\b[a-z][a-z0-9+]*://[^\s:/@]+:[^\s/@]+@[\w.-]+"
            r"|(?i:\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)=['\"]?(?!\*)[^\s'\",;*]{6,})"
            r"|\bBearer [A-Za-z0-9._~+/-]{16,}"
        ),
    ),
)
