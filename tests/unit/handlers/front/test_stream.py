"""The stream that a WebSocket has of a connection: reads, writes, and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tornado.iostream import StreamClosedError, UnsatisfiableReadError

from handlers.front.limits import READ_AHEAD_BYTES
from handlers.front.stream import TransportStream
from tests.support.clients.peer import Peer, connected
from tests.support.running.waiting import until

MUCH = b"x" * (4 * 1024 * 1024)


class Upgrading(asyncio.Protocol):
    """Gives its connection away as soon as it is made."""

    stream: TransportStream

    def __init__(self, received: bytes) -> None:
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it away, with what was received before."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=1, low=0)
        self.stream = TransportStream(transport, bytearray(self._received), is_writing=False)
        transport.set_protocol(self.stream)


@asynccontextmanager
async def streaming(received: bytes = b"") -> AsyncIterator[tuple[TransportStream, Peer]]:
    """Open a stream that has received something before."""
    upgrading = Upgrading(received)
    async with connected(lambda: upgrading) as (_, peer), asyncio.timeout(20):
        yield upgrading.stream, peer


async def test_a_read_takes_what_came_before_and_waits_for_the_rest() -> None:
    async with streaming(b"abc") as (stream, peer):
        assert await stream.read_bytes(2) == b"ab"
        read = stream.read_bytes(3)
        assert stream.reading()
        assert not read.done()
        await peer.send(b"defg")
        assert await read == b"cde"
        assert await stream.read_bytes(2) == b"fg"


async def test_a_partial_read_takes_what_is_there_but_at_least_a_byte() -> None:
    async with streaming(b"abc") as (stream, peer):
        assert await stream.read_bytes(2, partial=True) == b"ab"
        assert await stream.read_bytes(2, partial=True) == b"c"
        read = stream.read_bytes(2, partial=True)
        assert not read.done()
        await peer.send(b"d")
        assert await read == b"d"


async def test_a_read_to_a_delimiter_leaves_what_is_behind_it() -> None:
    async with streaming(b"ab") as (stream, peer):
        read = stream.read_until(b"--")
        await peer.send(b"c--d")
        assert await read == b"abc--"
        assert await stream.read_bytes(1) == b"d"


@pytest.mark.parametrize("sent", [b"cde", b"cde--"])
async def test_a_delimiter_that_does_not_come_in_time_closes_the_stream(sent: bytes) -> None:
    async with streaming(b"ab") as (stream, peer):
        read = stream.read_until(b"--", max_bytes=4)
        await peer.send(sent)
        with pytest.raises(StreamClosedError) as closed:
            await read
        assert isinstance(closed.value.real_error, UnsatisfiableReadError)
        assert not await peer.read_all()


async def test_a_delimiter_that_came_too_late_before_the_read_closes_the_stream() -> None:
    async with streaming(b"abcde--") as (stream, _):
        with pytest.raises(StreamClosedError):
            await stream.read_until(b"--", max_bytes=4)


async def test_a_read_to_the_end_has_everything() -> None:
    async with streaming(b"ab") as (stream, peer):
        read = stream.read_until_close()
        await peer.send(b"cd")
        peer.close()
        assert await read == b"abcd"
        assert stream.closed()


async def test_a_peer_sends_no_more_than_is_read_ahead_until_it_is_taken() -> None:
    async with streaming(b"a") as (stream, peer):

        async def is_full() -> bool:
            return not stream._transport.is_reading()

        sending = asyncio.ensure_future(peer.send(MUCH))
        await until(is_full)
        assert READ_AHEAD_BYTES <= len(stream._received) < len(MUCH)
        assert await stream.read_bytes(len(MUCH) + 1) == b"a" + MUCH
        await sending


async def test_a_stream_that_rests_reads_nothing_until_it_reads_on_and_loses_nothing() -> None:
    async with streaming() as (stream, peer):
        came = asyncio.Event()
        stream.notify(came.set)
        stream.rest()
        await peer.send(b"later")
        await asyncio.sleep(0.05)
        assert not came.is_set()
        assert not stream.has_bytes
        stream.read_on()
        await came.wait()
        assert await stream.read_bytes(5) == b"later"


async def test_a_read_ends_the_rest() -> None:
    async with streaming() as (stream, peer):
        stream.rest()
        read = stream.read_bytes(3)
        await peer.send(b"now")
        assert await read == b"now"


async def test_a_stream_that_was_lost_neither_rests_nor_reads_on() -> None:
    async with streaming() as (stream, _):
        lost = asyncio.Event()
        stream.set_close_callback(lost.set)
        stream.rest()
        stream._transport.abort()
        stream.read_on()
        stream.rest()
        await lost.wait()
        stream.read_on()
        stream.rest()


async def test_a_write_is_done_when_the_peer_has_read() -> None:
    async with streaming() as (stream, peer):
        assert stream.write(b"ab").done()
        written = stream.write(MUCH)
        assert stream.writing()
        assert not written.done()
        assert len(await peer.read(len(MUCH) + 2)) == len(MUCH) + 2
        await written
        assert not stream.writing()


async def test_everybody_who_waits_hears_that_the_peer_is_gone() -> None:
    closed = asyncio.Event()
    async with streaming() as (stream, peer):
        stream.set_close_callback(closed.set)
        read, written = stream.read_bytes(1), stream.write(MUCH)
        peer.close()
        for each in (read, written):
            with pytest.raises(StreamClosedError):
                await each
        await closed.wait()
        with pytest.raises(StreamClosedError):
            stream.write(b"a")


async def test_a_close_forgets_what_the_peer_has_not_read() -> None:
    async with streaming() as (stream, peer):
        stream.write(MUCH)
        stream.close()
        assert len(await peer.read_all()) < len(MUCH)


async def test_a_callback_for_the_end_is_called_though_the_end_was_before() -> None:
    closed = asyncio.Event()
    async with streaming() as (stream, _):
        stream.close()
        stream.set_close_callback(closed.set)
        await closed.wait()


async def test_whoever_waits_is_told_once_that_something_came_or_that_the_peer_is_gone() -> None:
    async with streaming() as (stream, peer):
        told = asyncio.Event()
        stream.notify(told.set)
        assert not stream.has_bytes
        await peer.send(b"ab")
        await told.wait()
        assert stream.has_bytes
        told.clear()
        stream.notify(told.set)
        await told.wait()  # what is here already counts
        assert await stream.read_bytes(2) == b"ab"
        told.clear()
        stream.notify(told.set)
        peer.close()
        await told.wait()
        assert stream.closed()


async def test_a_read_to_the_end_after_the_end_has_what_is_left() -> None:
    async with streaming(b"ab") as (stream, peer):
        peer.close()
        await until_closed(stream)
        assert await stream.read_until_close() == b"ab"
        assert await stream.read_until_close() == b""


async def until_closed(stream: TransportStream) -> None:
    """Wait until the stream has heard of its end."""
    closed = asyncio.Event()
    stream.set_close_callback(closed.set)
    await closed.wait()


async def test_only_one_may_read_at_a_time() -> None:
    async with streaming() as (stream, peer):
        read = stream.read_bytes(1)
        with pytest.raises(AssertionError, match="Already reading"):
            stream.read_bytes(1)
        await peer.send(b"a")
        assert await read == b"a"


async def test_what_comes_behind_a_close_is_dropped() -> None:
    async with streaming() as (stream, _):
        stream.close()
        stream.data_received(b"late")
        assert not stream.has_bytes


async def test_who_gave_a_write_up_holds_up_no_other() -> None:
    async with streaming() as (stream, peer):
        given_up, written = stream.write(MUCH), stream.write(b"end")
        given_up.cancel()
        assert (await peer.read(len(MUCH) + 3)).endswith(b"end")
        await written


async def test_a_handler_finds_the_socket_and_so_who_its_peer_is() -> None:
    async with streaming() as (stream, peer):
        assert stream.socket.getpeername() == peer.sock.getsockname()
