"""The contract that the clean server keeps, as a profile, and whom it lets in."""

from __future__ import annotations

AUTH = {"Bearer a": "a", "Bearer b": "b"}
ORIGIN = "http://app.example"

PROFILE = """
base_url = "http://127.0.0.1:1"

[[endpoint]]
name     = "main"
request  = { path = "/stream" }
data     = "json"
order    = "start delta+ done"
terminal = ["done"]
errors   = ["error"]
ignore   = ["ping"]
progress = { event = "delta", pointer = "/progress", range = [0, 100] }
sequence = { pointer = "/seq" }
sent_at  = { pointer = "/sent_us", unit = "us" }
discriminator = { pointer = "/type" }
deadline = "3s"
schema   = { delta = { type = "object", required = ["text"], properties = { text = { type = "string" } } } }
lifetime = "1s"
resume   = { from = "Last-Event-ID" }
other_methods = ["PUT"]
fault      = { params = { fail_after = 3 } }
invalid    = { params = { count = "none" } }
idle       = { path = "/idle" }
slow_start = { params = { first_after = 1.2 } }
endless    = { path = "/ticks" }

[[endpoint]]
name     = "echo"
request  = { path = "/echo" }
data     = "text"
order    = "echo done"
terminal = ["done"]
reflect  = { data = { params = "text" }, event = { params = "name" }, id = { params = "mark" } }

[[endpoint]]
name     = "chat"
request  = { method = "POST", path = "/chat", json = { stream = true } }
data     = "json"
terminal_data = ["[DONE]"]

[[endpoint]]
name      = "feed"
request   = { path = "/feed" }
data      = "json"
ignore    = ["hello"]
broadcast = { publish = { method = "POST", path = "/publish" } }

[probe]
url = "/probe"
active_streams = "/active_streams"

[target]
health  = "/health"
origins = ["http://app.example"]
credentials     = { headers = { Authorization = "Bearer a" } }
second_identity = { headers = { Authorization = "Bearer b" } }
"""
