"""The app's bytes, read by the letter of what it promises: a second opinion beside the decoder."""

import json
from typing import Any, NamedTuple


class Event(NamedTuple):
    type: str
    data: str
    id: str | None = None

    @property
    def payload(self) -> Any:
        return json.loads(self.data)


def strict(body: bytes) -> list[Event]:
    """The events of a body that is written as the app promises; anything else is an error."""
    text = body.decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n\n")
    events = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = [line.partition(":")[::2] for line in block.split("\n")]
        fields = [(name, value.removeprefix(" ")) for name, value in lines]
        assert {name for name, _ in fields} <= {"", "data", "event", "id", "retry"}, block
        data = [value for name, value in fields if name == "data"]
        once = {name: value for name, value in fields if name in {"event", "id", "retry"}}
        assert len(once) == sum(name in {"event", "id", "retry"} for name, _ in fields), block
        if data:
            events.append(Event(once.get("event") or "message", "\n".join(data), once.get("id")))
        else:
            assert not once, "a field without data is lost on some clients"
    return events
