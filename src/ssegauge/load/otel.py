"""The live figures as OpenTelemetry metrics, beside those of Locust's own `--otel` (the extra `otel`).

Locust sets up the provider and its exporters from OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT and the
like); what is observed here goes the same way. OpenTelemetry has no histogram that is only read out, so times are
gauges by quantile, of what came since the last export.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from ssegauge import __version__
from ssegauge.load.histogram import Histogram
from ssegauge.load.telemetry import FAMILIES, Sample, samples

if TYPE_CHECKING:
    from ssegauge.load.conductor import Conductor  # which imports Locust, and that patches the process

QUANTILES = (0.5, 0.95, 0.99)

_SAME_EXPORT = 0.5  # seconds in which the callbacks of one export are over


def install(conductor: Conductor, meter: Meter | None = None) -> None:
    """Have this conductor's figures observed. `meter`: by default one of the provider that Locust has set."""
    meter = meter or get_meter("ssegauge", __version__)
    exports = _Exports(conductor)
    for family in FAMILIES:
        make = meter.create_observable_counter if family.kind == "counter" else meter.create_observable_gauge
        make(f"ssegauge.{family.name}", [_callback(exports, family.name)], family.unit, family.help)


class _Exports:
    """One look at the figures for all instruments of an export; and the histograms as the one before left them."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._taken = -_SAME_EXPORT
        self._found: dict[str, list[Sample]] = {}
        self._before: dict[tuple[str, str], dict[int, int]] = {}
        self._epoch = ("", 0)

    def observations(self, name: str) -> Iterator[Observation]:
        """What one instrument says."""
        if time.monotonic() - self._taken >= _SAME_EXPORT:
            self._take()
            self._taken = time.monotonic()
        for labels, value in self._found[name]:
            yield from (Observation(number, {**labels, **more}) for number, more in _numbers(value))

    def _take(self) -> None:
        found = samples(self._conductor)
        collector = self._conductor.collector
        if (collector.run, collector.resets) != self._epoch:
            self._epoch, self._before = (collector.run, collector.resets), {}
        self._found = {
            name: [(labels, self._since(name, labels.get("endpoint", ""), value)) for labels, value in said]
            for name, said in found.items()
        }

    def _since(self, name: str, endpoint: str, value: float | Histogram) -> float | Histogram:
        if not isinstance(value, Histogram):
            return value
        before = self._before.get((name, endpoint), {})
        self._before[name, endpoint] = dict(value.counts)
        fresh = Histogram()
        fresh.counts = {index: more for index, count in value.counts.items() if (more := count - before.get(index, 0))}
        fresh.low, fresh.high = value.low, value.high
        return fresh


def _numbers(value: float | Histogram) -> Iterator[tuple[float, dict[str, Any]]]:
    if not isinstance(value, Histogram):
        yield value, {}
        return
    for q in QUANTILES:
        quantile = value.quantile(q)
        if quantile is not None:
            yield quantile.us / 1e6, {"quantile": q}


def _callback(exports: _Exports, name: str) -> Callable[[CallbackOptions], list[Observation]]:
    return lambda _: list(exports.observations(name))
