"""Bytes of a connection in, content out: framing and codings undone, whichever way the bytes are cut."""

import gzip
import os
import random
import tracemalloc
import zlib

import pytest

from ssegauge.load.inflater import Malformed
from ssegauge.load.response import MAX_HEAD, FramedAnswer, Response

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"data: %d\n\n" % number for number in range(50)]
ALL = b"".join(EVENTS)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def coded(name, *pieces, end=b"0\r\n\r\n"):
    """A chunked response with that content coding."""
    head = HEAD + b"Transfer-Encoding: chunked\r\nContent-Encoding: %s\r\n\r\n" % name
    return head + b"".join(map(chunk, pieces)) + end


def cuts(data):
    """The bytes whole, each alone, and cut at random."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    drawn = random.Random(7)
    for _ in range(5):
        at = sorted(drawn.sample(range(len(data)), min(len(data), 12)))
        yield [data[start:stop] for start, stop in zip([0, *at], [*at, len(data)], strict=True)]


def read(pieces, response=None):
    """The content and the response."""
    response = response or Response()
    return b"".join(map(response.feed, pieces)), response


def flushed(*parts, wbits=31, how=zlib.Z_SYNC_FLUSH):
    """What an encoder gives that is flushed after each part and never finished."""
    encoder = zlib.compressobj(wbits=wbits)
    return [encoder.compress(part) + encoder.flush(how) for part in parts]


def bare(data):
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(data) + encoder.flush()


WHOLE = {
    # the content is there, the message has ended, and nothing is missing
    "identity": coded(b"identity", *EVENTS),
    "gzip": coded(b"gzip", gzip.compress(ALL)),
    "gzip of a member for each event": coded(b"gzip", *map(gzip.compress, EVENTS)),
    "gzip members that chunks cut": coded(b"gzip", b"".join(map(gzip.compress, EVENTS))),
    "gzip with an empty member": coded(b"gzip", gzip.compress(ALL), gzip.compress(b"")),
    "gzip padded with zeros": coded(b"gzip", gzip.compress(ALL) + bytes(512)),
    "gzip flushed and never finished": coded(b"gzip", *flushed(*EVENTS)),
    "deflate": coded(b"deflate", zlib.compress(ALL)),
    "deflate without zlib's head": coded(b"deflate", bare(ALL)),
    "deflate without zlib's head, flushed": coded(b"deflate", *flushed(*EVENTS, wbits=-15)),
    "deflate that is gzip": coded(b"deflate", gzip.compress(ALL)),
    "a trailer": coded(b"identity", ALL, end=b"0\r\nX-T: 1\r\n\r\n"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_content_is_whole_however_it_is_cut(name):
    for pieces in cuts(WHOLE[name]):
        content, response = read(pieces)
        assert (content, response.done, response.unfinished) == (ALL, True, "")


CUT = {
    # what of it can be read is a beginning; no message that ended well makes it whole
    "gzip without its second half": coded(b"gzip", gzip.compress(ALL)[:-60]),
    "gzip without its checksum": coded(b"gzip", gzip.compress(ALL)[:-8]),
    "gzip that is held back": coded(b"gzip", *flushed(ALL[:-10]), b"\x2a"),
    "a second member without its end": coded(b"gzip", gzip.compress(ALL[:-10]), gzip.compress(EVENTS[-1])[:-9]),
    "deflate without its end": coded(b"deflate", zlib.compress(ALL)[:-20]),
}


@pytest.mark.parametrize("name", CUT)
def test_a_coding_that_breaks_off_is_unfinished_though_the_message_has_ended(name):
    for pieces in cuts(CUT[name]):
        content, response = read(pieces)
        assert ALL.startswith(content)
        assert response.done
        assert response.unfinished


BROKEN = {
    "gzip, then something else": coded(b"gzip", gzip.compress(ALL), b"data: plain\n\n"),
    "deflate, then something else": coded(b"deflate", zlib.compress(ALL), b"data: plain\n\n"),
    "chunks, then none": coded(b"identity", ALL, end=b"zz\r\n"),
    "gzip in chunks, then none": coded(b"gzip", gzip.compress(ALL), end=b"zz\r\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_came_before_a_fault_counts(name):
    for pieces in cuts(BROKEN[name]):
        response, content = Response(), []
        with pytest.raises(Malformed):
            content.extend(map(response.feed, pieces))
        assert b"".join(content) + response.rest() == ALL


def test_after_its_end_a_response_is_what_it_was():
    second = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nX-Second: 1\r\n\r\nbusy"
    for pieces in cuts(coded(b"identity", ALL) + second):
        content, response = read(pieces)
        assert (content, response.done, response.status) == (ALL, True, 200)
        assert response.header("x-second") is None


@pytest.mark.parametrize("length", [b"Content-Length: 10", b"Transfer-Encoding: chunked", b"X-None: 1"])
def test_a_response_to_head_ends_with_its_head(length):
    for pieces in cuts(HEAD + length + b"\r\nContent-Encoding: gzip\r\n\r\n"):
        content, response = read(pieces, Response(to_head=True))
        assert (content, response.done, response.status, response.unfinished) == (b"", True, 200, "")


def test_an_interim_response_is_not_the_one():
    for pieces in cuts(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + coded(b"identity", ALL)):
        content, response = read(pieces)
        assert (content, response.done, response.status) == (ALL, True, 200)


ENDLESS = {
    "a field of the trailer": (b"0\r\nX-T: ", b"a" * 4096),
    "fields of the trailer": (b"0\r\n", b"X-T: a\r\n" * 512),
    "an extension of a chunk": (b"5;a=", b"a" * 4096),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_framing_without_end_is_cut_off(name):
    beginning, more = ENDLESS[name]
    response = Response()
    response.feed(CHUNKED + chunk(ALL) + beginning)
    with pytest.raises(Malformed, match="without content"):
        read([more] * (2 * MAX_HEAD // len(more)), response)


def test_a_long_head_is_no_fault_of_the_chunks_that_follow():
    response = Response()
    response.feed(HEAD + b"X-Long: " + b"a" * (MAX_HEAD - 200) + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert response.feed(b"".join(map(chunk, EVENTS)) + b"0\r\n\r\n") == ALL


def test_bytes_after_the_end_of_a_coding_are_not_kept():
    answer = FramedAnswer()
    answer.head(200, [("content-encoding", "gzip")])
    answer.feed(gzip.compress(ALL))
    noise = gzip.compress(os.urandom(10_000))
    tracemalloc.start()
    for _ in range(200):
        answer.feed(noise)
        answer.feed(bytes(10_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1 << 20


def test_many_members_in_one_read_are_bounded_as_one_is():
    member = gzip.compress(bytes(1 << 20))
    answer = FramedAnswer()
    answer.head(200, [("content-encoding", "gzip")])
    with pytest.raises(Malformed, match="inflates to more"):
        answer.feed(member * 20)
