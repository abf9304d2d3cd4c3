"""One request made over a bare socket, and all that came back, recorded as it was seen."""

from ssegauge.client.redirects import MAX_HOPS, REDIRECTS, record_following
from ssegauge.client.stream import LONG, Limits, Stream, record

__all__ = ["LONG", "MAX_HOPS", "REDIRECTS", "Limits", "Stream", "record", "record_following"]
