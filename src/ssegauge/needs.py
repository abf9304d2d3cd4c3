"""What each need of a rule means for a run, and what to do where it is not there (rules.md, "Needs")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from ssegauge.bench import Bench
from ssegauge.rules import NEEDS, Rule


class Missing(NamedTuple):
    """A need that is not met: the outcome that follows, and the exact thing that is lacking."""

    outcome: Literal["not_declared", "untestable"]
    reason: str


Check = Callable[[Bench], str | None]
CROWD = 20
"""Clients at once that every server should take (ISO-08); what more of them do is the question of a burst."""
UNDECLARED = "the profile does not declare "


def _long(bench: Bench) -> str | None:
    return None if bench.options.long or not bench.live else "takes longer than the short run: pass --long"


def _h2(bench: Bench) -> str | None:
    if not bench.live:
        return "needs the server: a recording cannot show it"
    return None if bench.offers_h2 else "the target offers no HTTP/2"


def _tls(bench: Bench) -> str | None:
    return None if bench.profile.base_url.startswith("https:") else "needs an https address"


def _probe(bench: Bench) -> str | None:
    return (
        None
        if bench.gauge is not None
        else "needs a count of active streams: declare [probe] in the profile, or pass --app"
    )


def _pid(bench: Bench) -> str | None:
    return None if bench.pid is not None else "needs the process id: pass --pid or --app"


def _control(bench: Bench) -> str | None:
    if bench.app is not None:
        return None
    return "needs a target that may be signalled and started again: pass --app or --server"


def _proxied(bench: Bench) -> str | None:
    return None if bench.profile.target.proxied else f"{UNDECLARED}target.proxied"


def _load(bench: Bench) -> str | None:
    if not bench.live:
        return "needs the server: a recording cannot show it"
    return (
        None
        if bench.options.burst > CROWD
        else f"needs more than {CROWD} clients at once, and --burst allows {bench.options.burst}"
    )


def _target(key: str) -> Check:
    return lambda bench: None if getattr(bench.profile.target, key) else f"{UNDECLARED}target.{key}"


_MEANS: dict[str, Check] = {
    "url": lambda _: None,
    "timing": lambda _: None,
    "raw": lambda _: None,
    "long": _long,
    "h2": _h2,
    "tls": _tls,
    "load": _load,
    "probe": _probe,
    "pid": _pid,
    "control": _control,
    "drop": lambda bench: None if bench.live else "needs the server: a recording cannot show it",
    "proxied": _proxied,
    "origins": _target("origins"),
    "credentials": _target("credentials"),
    "second_identity": _target("second_identity"),
    "health": _target("health"),
}


def unmet(need: str, bench: Bench) -> Missing | None:
    """Why a single need is not met, or None where it is."""
    if need in _MEANS:
        reason = _MEANS[need](bench)
    else:
        reason = None if need in bench.endpoint.declares else f"{UNDECLARED}{need}"
    if reason is None:
        return None
    return Missing("not_declared" if NEEDS[need]["absent"] == "not_declared" else "untestable", reason)


def missing(rule: Rule, bench: Bench) -> Missing | None:
    """The first unmet need of a rule, or None where it can be judged. `a|b` is met by either.

    What the profile does not declare comes before what the run does not bring along.
    """
    if not rule.recording and not bench.live:
        return Missing("untestable", "needs the server: a recording cannot show it")
    lacking = [gap for gap in (_either(need, bench) for need in rule.needs) if gap is not None]
    return min(lacking, key=lambda gap: gap.outcome != "not_declared") if lacking else None


def _either(need: str, bench: Bench) -> Missing | None:
    gaps = [unmet(alternative, bench) for alternative in need.split("|")]
    if any(gap is None for gap in gaps):
        return None
    found = [gap for gap in gaps if gap is not None]
    outcome: Literal["not_declared", "untestable"] = (
        "not_declared" if all(gap.outcome == "not_declared" for gap in found) else "untestable"
    )
    undeclared = [gap.reason.removeprefix(UNDECLARED) for gap in found if gap.reason.startswith(UNDECLARED)]
    if len(undeclared) == len(found):
        return Missing(outcome, UNDECLARED + " or ".join(undeclared))
    return Missing(outcome, "; or ".join(gap.reason for gap in found))
