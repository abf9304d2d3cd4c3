"""Many streams on one connection: HTTP/2, whose protocol is the h2 package's."""

from __future__ import annotations

from typing import Any

import gevent
import gevent.event
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from gevent.hub import get_hub

from ssegauge.load.arrival import Broken, arrival
from ssegauge.load.clock import monotonic_ns
from ssegauge.load.connect import ConnectError
from ssegauge.load.frames import Frames, GoAway, NoFrames, name_of
from ssegauge.load.http2 import Fields, Http2Stream
from ssegauge.load.reader import Reader
from ssegauge.load.recorder import Recorder
from ssegauge.load.transport import Transport, close
from ssegauge.verdict import EndKind

_WRITE = 2  # libev's EV_WRITE
_WINDOW = 65_535  # what a stream may send unacknowledged at first (RFC 9113, section 6.9.2)
_CONNECTION_WINDOW = 16 << 20  # so that one stream that we do not read cannot stop the others
_LAST_ID = 2**31 - 1
_SETTINGS = {
    h2.settings.SettingCodes.ENABLE_PUSH: 0,
    h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: h2.connection.H2Connection.DEFAULT_MAX_HEADER_LIST_SIZE,
}
_IDLE_NS = 5_000_000_000  # a connection without streams is kept so long for the next


class Http2Connection:
    """A connection and its streams. The reader calls it; `open` first. `taken`: events of the read that goes on."""

    __slots__ = (
        "_at_most",
        "_before",
        "_frames",
        "_going",
        "_h2",
        "_idle_since",
        "_opened",
        "_reader",
        "_recorder",
        "_streams",
        "_transport",
        "_unacknowledged",
        "_unsent",
        "_writer",
        "closed",
        "slot",
        "taken",
    )

    def __init__(self, transport: Transport, reader: Reader, recorder: Recorder, at_most: int) -> None:
        self._transport = transport
        self._reader = reader
        self._recorder = recorder
        self._at_most = at_most  # streams, whatever the server allows
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self._frames = Frames()
        self._streams: dict[int, Http2Stream] = {}
        self._opened: Any = gevent.event.AsyncResult()  # what went wrong, empty where nothing did
        self._going: GoAway | None = None
        self._before = self._idle_since = monotonic_ns()
        self._unacknowledged = 0
        self._unsent = b""
        self._writer: Any = None
        self.closed = False
        self.slot = 0
        self.taken = 0

    # -- what the pool and the streams do

    def open(self, seconds: float) -> None:
        """Greet, and wait for the server's settings: before them nobody knows how many streams it allows. Raises
        ConnectError.
        """
        self._h2.local_settings = h2.settings.Settings(client=True, initial_values=_SETTINGS)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self._reader.add(self._transport.sock.fileno(), self)
        self._flush()
        try:
            error = self._opened.get(timeout=max(0.0, seconds))
        except gevent.Timeout:
            self.close()
            raise ConnectError("no HTTP/2 settings within the limit of a connection", timeout=True) from None
        except BaseException:
            self.close()
            raise
        if error:
            self.close()
            raise ConnectError(error)

    def room(self) -> bool:
        """Whether one more stream may begin here."""
        usable = not self.closed and self._going is None and (self._h2.highest_outbound_stream_id or 0) + 2 < _LAST_ID
        return usable and len(self._streams) < self.allowed

    @property
    def allowed(self) -> int:
        """How many streams may be open here, by the server's word and by ours."""
        return min(self._at_most, self._h2.remote_settings.max_concurrent_streams)

    @property
    def idle(self) -> bool:
        """No streams, and nothing to be said."""
        return not self._streams

    def request(self, stream: Http2Stream, fields: Fields) -> None:
        """See `Shared`."""
        stream.id = self._h2.get_next_available_stream_id()
        self._streams[stream.id] = stream
        self._h2.send_headers(stream.id, fields, end_stream=not stream.body)
        self._send_body(stream)
        self._flush()

    def leave(self, stream: Http2Stream) -> None:
        """See `Shared`."""
        if self._streams.pop(stream.id, None) is not None and not self.closed:
            if not stream.response.done:
                # A malformed response is an error of its stream (RFC 9113, 8.1.1).
                malformed = stream.end == "malformed"
                code = h2.errors.ErrorCodes.PROTOCOL_ERROR if malformed else h2.errors.ErrorCodes.CANCEL
                self._h2.reset_stream(stream.id, code)
                self._flush()
            self._look_for_work()

    def acknowledge(self, stream: Http2Stream) -> None:
        """See `Shared`."""
        if stream.unacknowledged and stream.id in self._streams and not stream.response.done and not self.closed:
            self._h2.increment_flow_control_window(stream.unacknowledged, stream.id)
            stream.unacknowledged = 0
            self._flush()

    def close(self) -> None:
        """Close the connection; its streams, if there are any, have been told."""
        if not self.closed:
            self.closed = True
            if self._writer is not None:
                self._writer.close()
            self._reader.remove(self._transport.sock.fileno())
            close(self._transport.sock)

    # -- what the reader calls

    def ready(self) -> None:
        """Read once."""
        data, stamp = self.read()
        if data:
            self.take(data, stamp)

    def read(self) -> tuple[bytes, int]:
        """See `Watched`."""
        if self.closed:
            return b"", 0
        try:
            return arrival(self._transport, self._reader, self._recorder)
        except Broken as broken:
            self._lost(broken.end, str(broken))
            return b"", 0

    def take(self, data: bytes, stamp: int) -> None:
        """See `Watched`."""
        try:
            self.taken = 0
            for frame in self._frames.feed(data):
                self._frame(frame, stamp)
                if self.closed:
                    return
        except (NoFrames, h2.exceptions.ProtocolError) as error:
            self._flush()  # h2 has something to say of it
            self._lost("malformed", f"HTTP/2: {error}")
            return
        self._bound(stamp)
        self._flush()
        if self._transport.ended and not self.closed:
            self._lost("eof", "")

    def due(self) -> int:
        """When it has been idle for long. See `Watched`."""
        waits = (
            self.closed or self._streams or not self._opened.ready()
        )  # for its end, for them, for the server's settings
        return 0 if waits else self._idle_since + _IDLE_NS

    def expire(self) -> None:
        """See `Watched`."""
        self.close()

    # -- inside

    def _frame(self, frame: bytes | GoAway, stamp: int) -> None:
        if isinstance(frame, GoAway):
            self._go_away(frame)
            return
        for event in self._h2.receive_data(frame):
            self._see(event, stamp)

    def _see(self, event: h2.events.Event, stamp: int) -> None:
        if isinstance(event, h2.events.RemoteSettingsChanged):
            self._opened.set("")
            self._send_bodies()
            return
        if isinstance(event, h2.events.WindowUpdated):
            self._send_bodies()
            return
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, h2.events.DataReceived):
            self._received(stream, event)
        if stream is None:
            return
        if isinstance(event, h2.events.DataReceived):
            stream.content(event.data or b"", stamp)
        elif isinstance(event, h2.events.ResponseReceived | h2.events.InformationalResponseReceived):
            # h2 would end the whole connection where a content-length is wrong; the stream looks at it itself.
            self._h2.streams[stream.id]._expected_content_length = None
            stream.head([(_text(name), _text(value)) for name, value in event.headers or ()], stamp)
        elif isinstance(event, h2.events.StreamEnded):
            stream.over(stamp)
            if stream.body:  # the answer did not wait for it
                self._h2.reset_stream(stream.id, h2.errors.ErrorCodes.CANCEL)
            self._remove(stream)
        elif isinstance(event, h2.events.StreamReset):
            code = name_of(int(event.error_code or 0))
            stream.broken("reset" if event.remote_reset else "malformed", f"RST_STREAM {code}")
            self._remove(stream)

    def _received(self, stream: Http2Stream | None, event: h2.events.DataReceived) -> None:
        length = event.flow_controlled_length or 0
        self._unacknowledged += length
        if self._unacknowledged > _CONNECTION_WINDOW // 4:
            self._h2.increment_flow_control_window(self._unacknowledged)
            self._unacknowledged = 0
        if stream is not None:
            stream.unacknowledged += length
            if stream.unacknowledged > _WINDOW // 2 and not stream.paused and event.stream_ended is None:
                self.acknowledge(stream)

    def _bound(self, stamp: int) -> None:
        if self.taken > 1:
            # They share the stamp of the newest, whichever streams they belong to.
            bound = max(0, stamp - max(self._reader.swept_ns, self._before))
            self._recorder.harness.histogram("stamp_bound").record(bound / 1000, self.taken - 1)
        self._before = stamp

    def _go_away(self, said: GoAway) -> None:
        self._going = said
        self._opened.set(str(said))
        for stream in [stream for stream in self._streams.values() if stream.id > said.last]:
            stream.broken("reset", str(said), unprocessed=True)
            self._remove(stream)
        self._look_for_work()

    def _lost(self, end: EndKind, error: str) -> None:
        if self._going is not None:
            end = "reset" if self._going.code and end == "eof" else end
            error = f"{self._going}; {error}" if error else str(self._going)
        self._opened.set(error or "the connection was closed before the server's HTTP/2 settings")
        streams = list(self._streams.values())
        self._streams.clear()
        self.close()
        for stream in streams:
            stream.broken(end, error)

    def _remove(self, stream: Http2Stream) -> None:
        self._streams.pop(stream.id, None)
        self._look_for_work()

    def _look_for_work(self) -> None:
        if self._streams or self.closed:
            return
        if self._going is not None:
            self.close()
            return
        self._idle_since = monotonic_ns()
        self._reader.arm(self)

    def _send_bodies(self) -> None:
        for stream in self._streams.values():
            if stream.body:
                self._send_body(stream)

    def _send_body(self, stream: Http2Stream) -> None:
        while stream.body:
            size = min(self._h2.local_flow_control_window(stream.id), self._h2.max_outbound_frame_size)
            if size <= 0:
                return  # a WINDOW_UPDATE will come
            part, stream.body = stream.body[:size], stream.body[size:]
            self._h2.send_data(stream.id, bytes(part), end_stream=not stream.body)

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self.closed:
            self._unsent += self._transport.seal(data)
        self._write()

    def _write(self) -> None:
        while self._unsent and not self.closed:
            try:
                self._unsent = self._unsent[self._transport.sock.send(self._unsent) :]
            except BlockingIOError:
                if self._writer is None:
                    self._writer = get_hub().loop.io(self._transport.sock.fileno(), _WRITE)
                if not self._writer.active:
                    self._writer.start(self._write)
                return
            except OSError:
                self._unsent = b""  # what the reader finds says how it ended
        if self._writer is not None and self._writer.active:
            self._writer.stop()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
