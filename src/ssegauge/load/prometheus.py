"""The live figures for Prometheus to scrape, through its official client (the extra `prometheus`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector as Source

from ssegauge.errors import UserError
from ssegauge.load.histogram import Histogram, bucket_middle
from ssegauge.load.telemetry import FAMILIES, Family, Sample, samples

if TYPE_CHECKING:
    from ssegauge.load.conductor import Conductor  # which imports Locust, and that patches the process

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Upper edges in seconds. Our own buckets are finer, and in the results file."""

_PLACE = re.compile(r"(?:(?P<host>[^:\[\]\s]+|\[[0-9a-fA-F:.]+\]):)?(?P<port>\d{1,5})")
_UNITS = {"s": "_seconds", "By": "_bytes"}

_Metric = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def place_of(text: str) -> tuple[str, int]:
    """Address and port of "9464" or "0.0.0.0:9464"; loopback where no address is said. Raises UserError."""
    found = _PLACE.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise UserError(f'--sse-prometheus: "{text}" is no place to listen; write PORT or ADDRESS:PORT, as in 9464')
    return (found["host"] or "127.0.0.1").strip("[]"), int(found["port"])


def serve(conductor: Conductor, place: str) -> str:
    """Listen there until the process ends; the address of the metrics. Raises UserError where that is not possible."""
    host, port = place_of(place)
    registry = CollectorRegistry()
    registry.register(_Live(conductor))
    try:
        server, _ = start_http_server(port, host, registry)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(f"--sse-prometheus: cannot listen on {host}, port {port}: {why}") from error
    address = f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics"
    print(f"metrics for Prometheus: {address}", file=sys.stderr, flush=True)  # noqa: T201 - port 0 is told here only
    return address


class _Live(Source):
    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    def describe(self) -> list[_Metric]:
        return [_metric(family, []) for family in FAMILIES]

    def collect(self) -> Iterator[_Metric]:
        found = samples(self._conductor)
        yield from (_metric(family, found[family.name]) for family in FAMILIES if found[family.name])


def _metric(family: Family, found: Sequence[Sample]) -> _Metric:
    labels = list(found[0][0]) if found else []
    name = f"ssegauge_{family.name.replace('.', '_')}{_UNITS.get(family.unit, '')}"
    if family.kind == "histogram":
        histograms = HistogramMetricFamily(name, family.help, labels=labels)
        for said, value in found:
            if isinstance(value, Histogram):
                histograms.add_metric(list(said.values()), _buckets(value), value.total / 1e6)
        return histograms
    make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric: CounterMetricFamily | GaugeMetricFamily = make(name, family.help, labels=labels)
    for said, value in found:
        if not isinstance(value, Histogram):
            metric.add_metric(list(said.values()), value)
    return metric


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Counts up to each edge, as Prometheus wants them: each holds those below it, too."""
    told: list[tuple[str, float]] = []
    ordered = sorted((bucket_middle(index) / 1e6, count) for index, count in histogram.counts.items())
    position, below = 0, 0
    for edge in BUCKETS:
        while position < len(ordered) and ordered[position][0] <= edge:
            below += ordered[position][1]
            position += 1
        told.append((str(edge), float(below)))
    return [*told, ("+Inf", float(histogram.count))]
