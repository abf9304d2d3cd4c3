"""A cookie jar for a user, by the standard library's rules of domain, path, expiry and secure."""

from __future__ import annotations

from email.message import Message
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import Request


class Cookies:
    """What one user has been given. Costs nothing until the first Set-Cookie."""

    __slots__ = ("_jar",)

    def __init__(self) -> None:
        self._jar: CookieJar | None = None

    def header(self, url: str, extra: dict[str, str] | None) -> str | None:
        """The Cookie field for a request, those of `extra` included; None where there are none."""
        parts = [f"{name}={value}" for name, value in (extra or {}).items()]
        if self._jar is not None:
            request = Request(url)  # noqa: S310 - nothing is opened, the jar wants an object of this shape
            self._jar.add_cookie_header(request)
            kept = request.get_header("Cookie")
            if kept:
                parts.insert(0, kept)
        return "; ".join(parts) or None

    def keep(self, url: str, headers: list[tuple[str, str]]) -> None:
        """Take the cookies of a response."""
        given = [value for name, value in headers if name == "set-cookie"]
        if not given:
            return
        if self._jar is None:
            self._jar = CookieJar()
        message = Message()
        for value in given:
            message["Set-Cookie"] = value
        if urlsplit(url).scheme in ("http", "https"):
            self._jar.extract_cookies(cast("Any", _Answer(message)), Request(url))  # noqa: S310


class _Answer:
    """What CookieJar asks of a response."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
