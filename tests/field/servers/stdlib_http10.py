"""http.server with threads: HTTP/1.0 to everyone, bodies that end with the connection."""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Handler(BaseHTTPRequestHandler):
    def head(self, status: int = 200, kind: str = "text/event-stream") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Accel-Buffering", "no")
        self.send_header("Connection", "close")
        self.end_headers()

    def block(self, n: int, event: str = "tick") -> None:
        self.wfile.write(f"id: {n}\nevent: {event}\ndata: {json.dumps({'n': n})}\n\n".encode())

    def do_HEAD(self) -> None:
        self.head()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/health":
            self.head(kind="text/plain")
        elif parts.path == "/endless":
            self.endless()
        elif self.headers.get("Last-Event-ID") == "6":
            self.head(204)
        else:
            self.stream(int(parse_qs(parts.query).get("fail_after", ["99"])[0]))

    def stream(self, fail_after: int) -> None:
        known = self.headers.get("Last-Event-ID", "")
        self.head()
        for n in range(int(known) + 1 if known in {"1", "2", "3", "4", "5"} else 1, 6):
            if n > fail_after:
                self.wfile.write(b'event: error\ndata: {"code": "failed", "message": "made to fail"}\n\n')
                return
            self.block(n)
            time.sleep(0.1)
        self.block(6, "done")

    def endless(self) -> None:
        self.head()
        n = 0
        while True:
            n += 1
            self.block(n)
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
