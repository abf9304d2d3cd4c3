"""The live page: our figures, second by second, beside Locust's own page and behind the same login.

It stands alone under `ssegauge/`, and as a tab in Locust's page. The tab leans on how that page is made, so there is a
link among its downloads as well.
"""

from __future__ import annotations

from functools import cache
from importlib import resources, util
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request, send_file
from locust.web import WebUI

from ssegauge.load.conductor import Conductor
from ssegauge.load.figures import damage

_PATH = "ssegauge"
_FILES = {
    "": ("live.html", "text/html"),
    "live.js": ("live.js", "text/javascript"),
    "tab.js": ("tab.js", "text/javascript"),
}
_TIMES = ("first_event", "gap", "lag")
_SHOWN = ("count", "p50", "p95", "p99", "max")


def install(conductor: Conductor, web_ui: WebUI) -> None:
    """Add the page, its data, and the ways to it."""
    base = getattr(conductor.environment.parsed_options, "web_base_path", "") or ""
    app: Any = web_ui.app
    guarded: Any = web_ui.auth_required_if_enabled

    def add(path: str, view: Any) -> None:
        app.add_url_rule(f"{base}/{_PATH}/{path}", f"ssegauge_{path or 'page'}", guarded(view))

    for path, (name, kind) in _FILES.items():
        add(path, _page(name, kind))
    add("plotly.min.js", _plotly)
    add("data", lambda: jsonify(data(conductor, request.args)))
    web_ui.template_args["extended_csv_files"] = [{"href": f"{base}/{_PATH}/", "title": "Live event streams"}]

    def with_tab(response: Response) -> Response:
        if request.path.rstrip("/") == base and response.mimetype == "text/html" and response.status_code == 200:
            text = response.get_data(as_text=True)
            if "window.templateArgs" in text and "tab.js" not in text:
                tag = f'<script src="{base}/{_PATH}/tab.js" data-page="{base}/{_PATH}/"></script>'
                response.set_data(text.replace("</body>", f"{tag}</body>"))
        return response

    app.after_request(with_tab)


def data(conductor: Conductor, asked: Any) -> dict[str, Any]:
    """What has come since the second `since`; everything where the page knows another run, or one before a reset."""
    conductor.gather()
    collector = conductor.collector
    known = asked.get("run") == f"{collector.run}/{collector.resets}"
    since = asked.get("since", -1, type=int) if known else -1
    endpoint = asked.get("endpoint") or None
    rows = collector.live(endpoint, since) if collector.run else []
    books = collector.ledger.books
    runner = conductor.environment.runner
    return {
        "run": f"{collector.run}/{collector.resets}",
        "state": getattr(runner, "state", ""),
        "users": getattr(runner, "user_count", 0),
        "rows": [_small(row) for row in rows],
        "endpoints": {name: _totals(book) for name, book in sorted(books.items())},
        "workers": len(collector.workers),
        "final": None if conductor.final is None else _verdict(conductor.final),
    }


def _small(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "latency"}
    kept["latency"] = {
        name: {key: row["latency"][name][key] for key in _SHOWN} for name in _TIMES if name in row["latency"]
    }
    return kept


def _totals(book: Any) -> dict[str, Any]:
    return {
        "attempted": book.counters["attempted"],
        "opened": book.counters["opened"],
        "failed": book.counters["failed"],
        "dropped": book.counters["dropped_arrivals"],
        **damage(book),
        "verdicts": dict(book.verdicts),
        "messages": dict(book.messages.most_common(10)),
    }


def _verdict(final: dict[str, Any]) -> dict[str, Any]:
    return {"valid": final.get("valid", False), "reasons": final.get("invalid_reasons", [])}


def _page(name: str, kind: str) -> Any:
    def view() -> Response:
        return Response(_text(name), mimetype=kind, headers={"Cache-Control": "no-cache"})

    return view


@cache
def _text(name: str) -> str:
    return resources.files("ssegauge.load").joinpath("page", name).read_text(encoding="utf-8")


def _plotly() -> Response:
    found = util.find_spec("plotly")
    if found is None or found.origin is None:
        return Response("plotly is not installed", status=404)
    file = Path(found.origin).parent / "package_data" / "plotly.min.js"
    return send_file(file, mimetype="text/javascript", max_age=86400)
