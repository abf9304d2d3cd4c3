"""What stands in front of a server, by what it says of itself, and the line of its configuration that mends a rule."""

from __future__ import annotations

import re

from ssegauge.bench import Bench
from ssegauge.client import Limits
from ssegauge.exchange import Exchange
from ssegauge.profile import Request
from ssegauge.rules import Rule

_SIGNS = {
    "nginx": ("server", re.compile(r"nginx|openresty", re.IGNORECASE)),
    "Caddy": ("server", re.compile(r"caddy", re.IGNORECASE)),
    "Varnish": ("via", re.compile(r"varnish", re.IGNORECASE)),
}
"""The field in which a product names itself. HAProxy has none."""
PATIENCE = 5.0
"""Seconds that a proxy may take to show its name."""


def names(exchange: Exchange) -> tuple[str, ...]:
    """The products that name themselves in a response head, as the catalogue calls them."""
    return tuple(
        name for name, (field, sign) in _SIGNS.items() if any(sign.search(value) for value in exchange.values(field))
    )


def mend(law: Rule, bench: Bench) -> str:
    """How to mend a broken rule: what the catalogue says to all, then the line for the proxy that was recognised.

    Behind a declared proxy that does not name itself stand the lines for every proxy that the catalogue knows.
    """
    if not law.mends:
        return law.mend
    known = bench.once("fronts", lambda: names(_front(bench)))
    lines = {name: line for name, line in law.mends.items() if name in known}
    if not known and bench.profile.target.proxied:
        lines = dict(law.mends)
    return " ".join([law.mend, *(f"{name}: {line}." for name, line in lines.items())])


def _front(bench: Bench) -> Exchange:
    """An answer of what clients meet first: of the proxy where one is declared, else of the target."""
    proxied, health = bench.profile.target.proxied, bench.profile.target.health or "/"
    if not bench.live or not proxied:
        return bench.observation.exchange
    # An ordinary address, for the head of a stream may be held back with its events.
    ordinary = Request(path=health if health.startswith("/") else "/")
    with bench.open(bench.sent_for(ordinary, base_url=proxied), limits=Limits(window=PATIENCE)) as stream:
        stream.until_head()
        return stream.exchange
