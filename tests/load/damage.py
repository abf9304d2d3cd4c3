"""Streams damaged in known numbers, a scenario that opens each of them once, and what must be counted then."""

DAMAGE = {
    # endpoint: its path at `source.py`, how its streams end, and the events lost, doubled and reordered in each
    "good": ("/ok?events=20", "complete", (0, 0, 0)),
    "cut": ("/truncate?events=20", "truncated", (0, 0, 0)),
    "half an event": ("/unfinished?events=20", "truncated", (0, 0, 0)),
    "failing": ("/err?events=20", "error_event", (0, 0, 0)),
    "silent": ("/stall?events=5", "stalled", (0, 0, 0)),
    "endless": ("/no_terminal?events=5", "no_terminal", (0, 0, 0)),
    "reset": ("/rst?events=20", "reset", (0, 0, 0)),
    "repeats": ("/damaged?numbers=0,1,2,2,3,3,4", "complete", (0, 2, 0)),
    "drops": ("/damaged?numbers=0,1,4,5,7", "complete", (3, 0, 0)),
    "swaps": ("/damaged?numbers=0,2,1,3,5,4,6", "complete", (0, 0, 2)),
    "busy": ("/unavailable", "http_error", (0, 0, 0)),
    "no HTTP": ("/no_http", "malformed", (0, 0, 0)),
}
PATHS = {name: path for name, (path, _, _) in DAMAGE.items()}
ONCE = """
from locust import task
from ssegauge.load import SseUser

class Once(SseUser):
    @task
    def each_endpoint(self):
        for endpoint in self.session.target.endpoints():
            self.stream(endpoint=endpoint)
        self.pause(3600)
"""


def profile_of(address, paths):
    """A profile of `source.py` there: each stream should be numbered tokens and one done."""
    lines = [f'base_url = "{address}"']
    for name, path in paths.items():
        lines += ["[[endpoint]]", f'name = "{name}"', f'request = {{ path = "{path}" }}', 'data = "json"']
        lines += ['order = "token* done"', 'terminal = ["done"]', 'errors = ["error"]']
        lines += ['sequence = { pointer = "/seq" }']
        if path.startswith("/resume"):
            lines.append('resume = { from = "Last-Event-ID" }')
    return "\n".join(lines)


def assert_counted(results, users):
    """The results say what was done, no more and no less, where each user has opened each stream once."""
    for name, (_, verdict, counts) in DAMAGE.items():
        endpoint = results["endpoints"][name]
        assert endpoint["streams"]["by_verdict"] == {verdict: users}, (name, endpoint["streams"])
        events = endpoint["events"]
        found = tuple(events[kind] for kind in ("lost", "duplicated", "reordered"))
        assert found == tuple(each * users for each in counts), (name, events)
    streams = results["streams"]
    assert streams["attempted"] == users * len(DAMAGE), streams
    assert sum(streams["by_verdict"].values()) == streams["attempted"], streams
    assert streams["failed"] == users * (len(DAMAGE) - 1), streams
    assert results["events"]["lost"] == 3 * users, results["events"]
    assert sum(row["events"] for row in results["series"]) == results["events"]["received"], results["events"]
    assert sum(row["ended"] for row in results["series"]) == streams["attempted"], streams
