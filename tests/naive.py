"""HTML 9.2.6 once more, by another hand: the whole body at once, line by line, as slowly and literally as can be.

It shares no code and no trick with `ssegauge.wire`, so the two can be compared on any bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Reading:
    """All that interpreting a body leaves behind."""

    events: list[tuple[str, str, str]] = field(default_factory=list)
    last_event_id: str = ""
    retries: list[int] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def lines_of(text: str) -> list[str]:
    """Lines that have an end; an unfinished last one is dropped."""
    lines, line, at = [], "", 0
    while at < len(text):
        if text[at] in "\r\n":
            at += 2 if text[at : at + 2] == "\r\n" else 1
            lines.append(line)
            line = ""
        else:
            line += text[at]
            at += 1
    return lines


def read(body: bytes, last_event_id: str = "") -> Reading:
    """What a conforming client makes of the body."""
    text = body.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    reading = Reading(last_event_id=last_event_id)
    data = event_type = ""
    id_buffer = last_event_id
    for line in lines_of(text):
        if line == "":
            reading.last_event_id = id_buffer
            if data != "":
                reading.events.append((event_type or "message", data[:-1], id_buffer))
            data = event_type = ""
            continue
        name, colon, value = line.partition(":")
        if line[0] == ":":
            reading.comments.append(value)
            continue
        if colon and value[:1] == " ":
            value = value[1:]
        if name == "event":
            event_type = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            id_buffer = value
        elif name == "retry" and value and set(value) <= set("0123456789"):
            reading.retries.append(int(value))
    return reading
