"""Bytes to events: WHATWG HTML 9.2.5 and 9.2.6, to the letter.

Sans-IO: no socket, no clock, no import from the package. `Decoder` builds every event; `LazyDecoder`
hands out blocks whose type and data are decoded only when asked for, which is what a load run needs.
Where the bytes are split never changes what comes out.
"""

from __future__ import annotations

from ssegauge.wire.decoder import Decoder, decode
from ssegauge.wire.encoder import encode
from ssegauge.wire.event import Event, RawEvent, accepted_retry, data_in, id_in, type_in
from ssegauge.wire.lazy import LazyDecoder
from ssegauge.wire.limits import MIB, EventTooLong, LimitError, LineTooLong

__all__ = [
    "MIB",
    "Decoder",
    "Event",
    "EventTooLong",
    "LazyDecoder",
    "LimitError",
    "LineTooLong",
    "RawEvent",
    "accepted_retry",
    "data_in",
    "decode",
    "encode",
    "id_in",
    "type_in",
]
