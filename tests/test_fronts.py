"""Which proxy names itself, and what is then said to mend a rule."""

from __future__ import annotations

from ssegauge import fronts, profile
from ssegauge.bench import Bench
from ssegauge.exchange import Exchange, Sent
from ssegauge.rules import CATALOGUE

URL = "http://127.0.0.1:8000/stream"


def answered(*headers: tuple[str, str]) -> Exchange:
    return Exchange("/stream", Sent("GET", URL), status=200, headers=list(headers))


def bench_behind(*headers: tuple[str, str]) -> Bench:
    contract = profile.from_url(URL)
    return Bench(contract, contract.endpoint[0], recording=answered(*headers))


def test_each_proxy_is_known_by_the_field_in_which_it_names_itself() -> None:
    assert fronts.names(answered(("Server", "nginx/1.22.1"))) == ("nginx",)
    assert fronts.names(answered(("Server", "Caddy"), ("server", "uvicorn"))) == ("Caddy",)
    assert fronts.names(answered(("X-Varnish", "3"), ("Via", "1.1 varnish (Varnish/7.1)"))) == ("Varnish",)
    assert fronts.names(answered(("Via", "1.1 varnish"), ("Server", "openresty"))) == ("nginx", "Varnish")
    assert fronts.names(answered(("server", "uvicorn"))) == ()


def test_the_line_of_the_proxy_follows_what_is_said_to_all() -> None:
    law = CATALOGUE["BUF-05"]
    assert fronts.mend(law, bench_behind(("Server", "nginx"))) == f"{law.mend} nginx: {law.mends['nginx']}."
    assert fronts.mend(law, bench_behind(("server", "uvicorn"))) == law.mend
    assert fronts.mend(law, bench_behind(("Server", "Caddy"))) == law.mend


def test_other_rules_say_what_they_always_said() -> None:
    law = CATALOGUE["FRM-01"]
    assert fronts.mend(law, bench_behind(("Server", "nginx"))) == law.mend
