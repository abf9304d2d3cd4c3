"""Flask's streaming pattern on the development server: a generator with a mimetype, HTTP/1.0 by werkzeug's default."""

import json
import sys
import time
from collections.abc import Iterator

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/stream")
def stream() -> Response:
    fail_after = int(request.args.get("fail_after", "99"))

    def events() -> Iterator[str]:
        for n in range(1, 6):
            if n > fail_after:
                raise RuntimeError("made to fail")
            yield f"event: tick\ndata: {json.dumps({'n': n})}\n\n"
            time.sleep(0.1)
        yield "event: done\ndata: {}\n\n"

    return Response(events(), mimetype="text/event-stream")


@app.get("/endless")
def endless() -> Response:
    def events() -> Iterator[str]:
        n = 0
        while True:
            n += 1
            yield f"event: tick\ndata: {json.dumps({'n': n})}\n\n"
            time.sleep(0.05)

    return Response(events(), mimetype="text/event-stream")


app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
