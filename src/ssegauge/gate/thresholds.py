"""The gates file: what results must hold, as people write it, with units checked and names known.

A mistake is one GatesError: file, line, key, what is wrong, what to do.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ssegauge import text_file, toml_lines
from ssegauge.errors import UserError
from ssegauge.gate import metrics
from ssegauge.gate.metrics import GROUPS, Metric, UnknownMetric, shown_beside
from ssegauge.mistakes import printable, similar

LEVELS: Final = ("must", "should", "recommended", "info")
SECTIONS: Final = ("conformance", "load", "baseline", "samples")

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_THRESHOLD: Final = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([+-]?[\d_]*\.?\d+(?:[eE][+-]?\d+)?)\s*([^\s\d]*)\s*")
_MILLISECONDS: Final = {
    "us": 0.001,
    "µs": 0.001,
    "ms": 1.0,
    "s": 1000.0,
    "m": 60_000.0,
    "min": 60_000.0,
    "h": 3_600_000.0,
}
_SAME: Final = 1e-9  # what the way through decimal fractions may change


class GatesError(UserError):
    """Raised where a gates file cannot be used."""


class _Fault(Exception):
    def __init__(self, path: toml_lines.Path, text: str) -> None:
        super().__init__(text)
        self.path = path


@dataclass(frozen=True)
class Threshold:
    """A bound on a figure, in milliseconds, fractions of one, or plain numbers; `text` as it was written."""

    sign: str
    limit: float
    text: str

    def holds(self, value: float) -> bool:
        """Whether the value keeps the bound."""
        if math.isclose(value, self.limit, rel_tol=_SAME, abs_tol=0.0):
            value = self.limit
        return _OPERATORS[self.sign](value, self.limit)

    @property
    def is_ceiling(self) -> bool:
        """Whether larger values break it."""
        return self.sign in {"<", "<="}


@dataclass(frozen=True)
class Scope:
    """What a gate speaks of: every scenario (None) or one, the whole run (None) or one endpoint."""

    scenario: str | None = None
    endpoint: str | None = None

    def label(self, scenario: str) -> str:
        """The scope as a reader sees it, on a run of this scenario."""
        return scenario if self.endpoint is None else f"{scenario} / {self.endpoint}"


@dataclass(frozen=True)
class LoadGate:
    """A threshold for a metric; fewer values than `minimum` under it are too few.

    `if_counted`: it does not apply to a run that did not count at all, as its profile does not say how.
    """

    scope: Scope
    metric: Metric
    threshold: Threshold
    minimum: int | None = None
    if_counted: bool = False


@dataclass(frozen=True)
class BaselineGate:
    """How much worse than the baseline a metric may be (0.1 is a tenth), and how sure one must be to say so."""

    scope: Scope
    metric: Metric
    worse_by: float
    confidence: float = 0.95
    minimum: int | None = None


@dataclass(frozen=True)
class Gates:
    """A gates file. `levels` holds the bound on failures of each conformance level."""

    source: str
    levels: dict[str, Threshold] = field(default_factory=dict)
    load: tuple[LoadGate, ...] = ()
    baseline: tuple[BaselineGate, ...] = ()


def read(path: str | Path, documents: Sequence[Mapping[str, Any]] = ()) -> Gates:
    """The gates in this file. A metric that neither we nor these results know is refused. Raises GatesError."""
    return parse(text_file.read(path, GatesError), str(path), documents)


def parse(text: str, source: str, documents: Sequence[Mapping[str, Any]] = ()) -> Gates:
    """The gates in this text. Raises GatesError."""
    content = text_file.parse_toml(text, source, GatesError)
    try:
        return _Reader(documents).gates(content, source)
    except _Fault as fault:
        line = toml_lines.nearest(toml_lines.lines(text), fault.path)
        key = ".".join(f'"{part}"' if "." in str(part) else str(part) for part in fault.path)
        raise GatesError(f"{source}:{line}: {printable(f'{key}: {fault}')}") from fault


class _Reader:
    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.documents = documents

    def gates(self, content: dict[str, Any], source: str) -> Gates:
        for name, section in content.items():
            if name not in SECTIONS:
                raise _Fault((name,), f"unknown section{similar(name, SECTIONS)}; there are {', '.join(SECTIONS)}")
            if not isinstance(section, dict):
                raise _Fault((name,), "expected a table")
        minimum = self._minimum(content.get("samples", {}))
        return Gates(
            source,
            dict(self._levels(content.get("conformance", {}))),
            tuple(self._load(content.get("load", {}), minimum)),
            tuple(self._baseline(content.get("baseline", {}), minimum)),
        )

    def _minimum(self, section: dict[str, Any]) -> int | None:
        for key in section:
            if key != "minimum":
                raise _Fault(("samples", key), f"unknown key{similar(key, ['minimum'])}")
        return _whole(section["minimum"], ("samples", "minimum")) if "minimum" in section else None

    def _levels(self, section: dict[str, Any]) -> Iterator[tuple[str, Threshold]]:
        for key, value in section.items():
            at = ("conformance", key)
            if key not in LEVELS:
                raise _Fault(at, f"unknown key{similar(key, LEVELS)}; there are {', '.join(LEVELS)}")
            if value == "all":
                yield key, Threshold("==", 0, "all")
            elif isinstance(value, str):
                yield key, threshold(value, Metric(key, "count"), at)
            else:
                raise _Fault(at, 'expected "all", or a bound on the failures such as "<= 3"')

    def _load(self, section: dict[str, Any], minimum: int | None) -> Iterator[LoadGate]:
        for scope, metric, value, at in self._entries(section, ("load",)):
            entry = value if isinstance(value, dict) else {"is": value}
            unknown = [key for key in entry if key not in {"is", "minimum", "if_counted"}]
            if unknown or "is" not in entry:
                raise _Fault((*at, *unknown[:1]), 'expected "< 200ms", or { is = "< 200ms", minimum = 50 }')
            if not isinstance(entry["is"], str):
                raise _Fault(at, 'expected a bound in quotes, such as "< 200ms", "<= 0.1%", "== 0"')
            own = _whole(entry["minimum"], (*at, "minimum")) if "minimum" in entry else minimum
            if_counted = entry.get("if_counted", False)
            if not isinstance(if_counted, bool):
                raise _Fault((*at, "if_counted"), "expected true or false")
            yield LoadGate(scope, metric, threshold(entry["is"], metric, at), own, if_counted)

    def _baseline(self, section: dict[str, Any], minimum: int | None) -> Iterator[BaselineGate]:
        for scope, metric, value, at in self._entries(section, ("baseline",)):
            entry = {"worse_by": value} if isinstance(value, str) else value
            if not isinstance(entry, dict) or "worse_by" not in entry:
                raise _Fault(at, 'expected { worse_by = "10%", confidence = 0.95 }')
            for key in entry:
                if key not in {"worse_by", "confidence"}:
                    raise _Fault((*at, key), f"unknown key{similar(key, ['worse_by', 'confidence'])}")
            confidence = entry.get("confidence", 0.95)
            if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0.5 <= confidence < 1:
                raise _Fault((*at, "confidence"), "expected a number from 0.5 up to, and not, 1")
            worse_by = _share(entry["worse_by"], (*at, "worse_by"))
            yield BaselineGate(scope, metric, worse_by, float(confidence), minimum)

    def _entries(
        self, section: dict[str, Any], at: toml_lines.Path
    ) -> Iterator[tuple[Scope, Metric, Any, toml_lines.Path]]:
        for key, value in section.items():
            if key == "endpoints":
                yield from self._endpoints(None, value, (*at, key))
            elif isinstance(value, dict) and not self._is_metric(key, value):
                yield from self._scenario(key, value, (*at, key))
            else:
                yield from self._flat(Scope(), key, value, (*at, key))

    def _scenario(
        self, scenario: str, section: dict[str, Any], at: toml_lines.Path
    ) -> Iterator[tuple[Scope, Metric, Any, toml_lines.Path]]:
        for key, value in section.items():
            if key == "endpoints":
                yield from self._endpoints(scenario, value, (*at, key))
            else:
                yield from self._flat(Scope(scenario), key, value, (*at, key))

    def _endpoints(
        self, scenario: str | None, section: Any, at: toml_lines.Path
    ) -> Iterator[tuple[Scope, Metric, Any, toml_lines.Path]]:
        if not isinstance(section, dict) or not all(isinstance(item, dict) for item in section.values()):
            raise _Fault(at, f"expected [{'.'.join(map(str, at))}.NAME]")
        for endpoint, items in section.items():
            for name, item in items.items():
                yield from self._flat(Scope(scenario, endpoint), name, item, (*at, endpoint, name))

    def _is_metric(self, key: str, value: dict[str, Any]) -> bool:
        return "." in key or key.partition(".")[0] in GROUPS or bool(value.keys() & {"is", "worse_by"})

    def _flat(
        self, scope: Scope, path: str, value: Any, at: toml_lines.Path
    ) -> Iterator[tuple[Scope, Metric, Any, toml_lines.Path]]:
        """A metric, also where its path was written without quotes, which TOML takes for tables."""
        if (
            isinstance(value, dict)
            and not value.keys() & {"is", "worse_by", "minimum", "confidence", "if_counted"}
            and value
        ):
            for key, item in value.items():
                yield from self._flat(scope, f"{path}.{key}", item, (*at, key))
            return
        try:
            found = metrics.metric(path, self.documents)
        except UnknownMetric as fault:
            raise _Fault(at, str(fault.args[0])) from fault
        yield scope, found, value, at


def threshold(text: str, wanted: Metric, at: toml_lines.Path = ()) -> Threshold:
    """The bound that the text says of this metric. Raises GatesError's cause where it is none."""
    found = _THRESHOLD.fullmatch(text)
    if found is None:
        raise _Fault(at, f'"{text}" is no bound; write one of < <= == != >= > and a number, such as "< 200ms"')
    sign, number, unit = found[1], float(found[2].replace("_", "")), found[3]
    if not math.isfinite(number):
        raise _Fault(at, f'"{text}": the number is too large')
    if wanted.kind == "time":
        if unit not in _MILLISECONDS:
            example = f"{sign} {found[2]}ms"
            problem = f'"{unit}" is no unit of time' if unit else "a time needs a unit"
            raise _Fault(at, f'{problem}; write "{example}" (us, ms, s, m, h)')
        return Threshold(sign, number * _MILLISECONDS[unit], text.strip())
    if wanted.kind == "share" and unit == "%":
        return Threshold(sign, number / 100, text.strip())
    if unit and not (wanted.kind == "rate" and unit == "/s"):
        allowed = {"share": "a share is a fraction or in per cent", "rate": "a rate is a number a second"}
        raise _Fault(at, f'"{unit}" is no unit here; {allowed.get(wanted.kind, "a count has none")}')
    return Threshold(sign, number, text.strip())


def _share(value: Any, at: toml_lines.Path) -> float:
    found = re.fullmatch(r"\s*([\d.]+)\s*%\s*", value) if isinstance(value, str) else None
    try:
        share = float(found[1]) / 100 if found else float("nan") if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share < 100:
        raise _Fault(at, 'expected a share such as "10%" or 0.1')
    return share


def _whole(value: Any, at: toml_lines.Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _Fault(at, "expected a whole number")
    return value


def as_text(bound: Threshold, wanted: Metric, beside: float | None) -> str:
    """The bound in the metric's own unit, and told from the value that it is shown beside."""
    return f"{bound.sign} {shown_beside(bound.limit, bound.limit if beside is None else beside, wanted.kind)}"
