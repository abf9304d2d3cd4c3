"""One request made over a bare socket, and all that came back, recorded as it was seen."""

from ssegauge.client.stream import LONG, MAX_HOPS, REDIRECTS, Limits, Stream, record, record_following

__all__ = ["LONG", "MAX_HOPS", "REDIRECTS", "Limits", "Stream", "record", "record_following"]
