"""The live figures elsewhere: scraped by a real client from a run that goes on, and sent to a real OTLP receiver."""

import re
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ssegauge.errors import UserError
from ssegauge.load import prometheus, telemetry
from ssegauge.load.collector import Collector
from ssegauge.load.ledger import Book
from tests.timing import MS, eventually

CONTRACTS = {"good": "/ok?events=20&gap_ms=20", "cut": "/truncate?events=5&gap_ms=20"}


@pytest.fixture
def two_endpoints(profile):
    return str(profile(**CONTRACTS))


def scraped(address):
    with urllib.request.urlopen(address, timeout=5000 * MS) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels):
    return found.get((f"ssegauge_{name}", frozenset(labels.items())))


def test_prometheus_scrapes_a_run_that_goes_on(locust, two_endpoints):
    process = locust(
        "concurrent_streams", "--sse-target", two_endpoints, "--sse-prometheus", "0", "-u", "6", "-r", "6", "-t", "60s"
    )
    address = next(found[1] for line in process.stdout if (found := re.search(r"metrics for Prometheus: (\S+)", line)))
    seen = {}

    def has_figures():
        seen.update(scraped(address))
        return (
            value(seen, "streams_ended_total", endpoint="good", verdict="complete")
            and value(seen, "streams_ended_total", endpoint="cut", verdict="truncated")
            and value(seen, "streams_open", endpoint="good")
        )

    eventually(has_figures, within=20_000 * MS)
    process.terminate()
    ended = process.finish()
    assert address.startswith("http://127.0.0.1:")
    assert value(seen, "users") == 6
    assert value(seen, "streams_failed_total", endpoint="good") == 0
    assert value(seen, "events_damaged_total", endpoint="good", kind="lost") == 0
    assert value(seen, "received_bytes_total", endpoint="good") > value(seen, "events_received_total", endpoint="good")
    edges = [
        (float(dict(labels)["le"]), count)
        for (name, labels), count in seen.items()
        if name == "ssegauge_gap_seconds_bucket" and dict(labels)["endpoint"] == "good"
    ]
    counts = [count for _, count in sorted(edges)]
    assert counts == sorted(counts)
    assert counts[-1] == value(seen, "gap_seconds_count", endpoint="good") > 0
    gaps = value(seen, "gap_seconds_sum", endpoint="good") / counts[-1]
    assert 0.01 < gaps < 1, "20 ms each, in seconds"
    whole = ended.results["endpoints"]["good"]
    assert value(seen, "events_received_total", endpoint="good") <= whole["events"]["received"]


@pytest.mark.slow
def test_the_master_tells_prometheus_of_all_its_workers(locust, two_endpoints):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = locust(
        "concurrent_streams", "--sse-target", two_endpoints, "--sse-prometheus", "0", "-u", "6", "-r", "6", "-t", "60s",
        "--processes", "2", "--master-port", port, "--master-bind-port", port,
    )  # fmt: skip
    address = next(found[1] for line in process.stdout if (found := re.search(r"metrics for Prometheus: (\S+)", line)))
    seen = {}

    def has_figures():
        seen.update(scraped(address))
        return value(seen, "workers") == 2 and (value(seen, "streams_open", endpoint="good") or 0) > 0

    eventually(has_figures, within=30_000 * MS)
    process.terminate()
    ended = process.finish()
    assert value(seen, "users") == 6
    assert (
        0
        < value(seen, "events_received_total", endpoint="good")
        <= ended.results["endpoints"]["good"]["events"]["received"]
    )


@pytest.mark.parametrize("place", ["here", "70000", "127.0.0.1:", "1 2"])
def test_a_place_that_is_none_is_one_clear_line(place):
    with pytest.raises(UserError, match="no place to listen; write PORT or ADDRESS:PORT") as caught:
        prometheus.place_of(place)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_a_port_alone_is_one_of_loopback(said, place):
    assert prometheus.place_of(said) == place


def test_a_port_that_is_taken_ends_the_run_before_it_begins(locust, two_endpoints, source):
    taken = source.rpartition(":")[2]
    ended = locust("concurrent_streams", "--sse-target", two_endpoints, "--sse-prometheus", taken).finish()
    assert ended.code == 2, ended.output
    assert f"--sse-prometheus: cannot listen on 127.0.0.1, port {taken}: address already in use" in ended.output
    assert "Traceback" not in ended.output


class Receiver(ThreadingHTTPServer):
    """What an OpenTelemetry collector is to its clients: takes metrics by OTLP over HTTP, in protobuf."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Taking)
        self.exports = []

    @property
    def latest(self):
        """Metric name to a list of (attributes, number), of the last export."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        told = ExportMetricsServiceRequest.FromString(self.exports[-1])
        found = {}
        for metric in (m for r in told.resource_metrics for s in r.scope_metrics for m in s.metrics):
            kind = metric.WhichOneof("data")
            found[metric.name] = [
                (
                    {said.key: said.value.string_value or said.value.double_value for said in point.attributes},
                    getattr(point, "as_double", None),
                )
                for point in getattr(metric, kind).data_points
            ]
        return found


class Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/metrics":
            self.server.exports.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_an_otlp_receiver_is_given_what_the_results_say(locust, two_endpoints, receiver):
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    ended = locust(
        "concurrent_streams", "--sse-target", two_endpoints, "--otel", "-u", "4", "-r", "4", "-t", "2s", "-s", "10s",
        env=variables,
    ).finish()  # fmt: skip
    assert receiver.exports, ended.output
    found = receiver.latest  # the last, when the process ends: all figures are final then
    for name, verdict in (("good", "complete"), ("cut", "truncated")):
        streams, events = (ended.results["endpoints"][name][part] for part in ("streams", "events"))
        assert ({"endpoint": name}, streams["attempted"]) in found["ssegauge.streams.attempted"], (
            streams,
            ended.output,
        )
        assert ({"endpoint": name, "verdict": verdict}, streams["by_verdict"][verdict]) in found[
            "ssegauge.streams.ended"
        ]
        assert ({"endpoint": name}, events["received"]) in found["ssegauge.events.received"]
    quantiles = {(said["endpoint"], said["quantile"]): number for said, number in found["ssegauge.gap"]}
    assert 0.01 < quantiles["good", 0.5] < 1, "20 ms, in seconds"
    assert quantiles["good", 0.5] <= quantiles["good", 0.99]
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(
    ("option", "module", "extra"),
    [
        ("--sse-prometheus=0", "prometheus_client", "prometheus"),
        pytest.param("--otel", "opentelemetry", "otel", marks=pytest.mark.slow),
    ],
)
def test_a_missing_extra_is_one_clear_line(locust, two_endpoints, tmp_path, option, module, extra):
    missing = tmp_path / "missing"
    missing.mkdir()
    blocked = f"import sys\nsys.modules[{module!r}] = None\nsys.modules['{module}.sdk'] = None\n"
    (missing / "sitecustomize.py").write_text(blocked)
    ended = locust(
        "concurrent_streams", "--sse-target", two_endpoints, option, env={"PYTHONPATH": str(missing)}
    ).finish()
    assert ended.code == 2, ended.output
    assert f"needs the extra '{extra}': pip install 'ssegauge[{extra}]'" in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize(("counters", "kinds"), [({}, []), ({"counted": 1}, ["lost", "duplicated", "reordered"])])
def test_what_nobody_counts_is_not_exported_as_none(counters, kinds):
    book = Book()
    book.counters.update(counters)
    said = [labels["kind"] for name, labels, _ in telemetry._of(book, Collector("run")) if name == "events.damaged"]
    assert said == kinds
