"""What goes out: when a write is done, and whether the peer reads."""

import asyncio
import socket

import pytest
from tornado.iostream import StreamClosedError

from handlers.front.limits import UNSENT_BYTES
from handlers.front.outgoing import Outgoing
from tests.support.clients.peer import Peer, connected
from tests.support.running.waiting import until

MUCH = b"x" * (4 * 1024 * 1024)


class Writer(asyncio.Protocol):
    """Tells the way out what the transport tells."""

    outgoing: Outgoing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin like `HttpConnection`."""
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=1, low=0)
        self.outgoing = Outgoing(transport)

    def pause_writing(self) -> None:
        """Something has not gone out."""
        self.outgoing.block()

    def resume_writing(self) -> None:
        """Everything has."""
        self.outgoing.free()


async def test_a_write_that_goes_out_at_once_is_done_at_once() -> None:
    writer = Writer()
    async with connected(lambda: writer) as (_, peer):
        assert writer.outgoing.send(b"ab").done()
        assert not writer.outgoing.is_blocked
        assert await peer.read(2) == b"ab"


async def test_a_write_behind_what_is_not_read_is_done_when_the_peer_has_read() -> None:
    writer = Writer()
    async with connected(lambda: writer) as (_, peer):
        first, second = writer.outgoing.send(MUCH), writer.outgoing.send(b"end")
        assert writer.outgoing.is_blocked
        assert not first.done()
        assert not second.done()
        assert await peer.read(len(MUCH) + 3) == MUCH + b"end"
        async with asyncio.timeout(5):
            await asyncio.gather(first, second)
        assert not writer.outgoing.is_blocked


async def test_a_peer_reads_only_if_bytes_went_out_since_the_last_look() -> None:
    writer = Writer()
    # A pair in the system's memory: what it has no room for moves only when the peer reads.
    async with connected(lambda: writer, socket.socketpair) as (transport, peer):
        writer.outgoing.send(MUCH)
        assert not writer.outgoing.is_being_read()
        await read_what_is_there(transport, peer)
        assert writer.outgoing.is_being_read()
        assert not writer.outgoing.is_being_read()


async def read_what_is_there(transport: asyncio.Transport, peer: Peer) -> None:
    """Read what the system holds, and wait until the transport has sent more."""
    left = transport.get_write_buffer_size()
    assert peer.sock.recv(len(MUCH))

    async def has_moved() -> bool:
        return transport.get_write_buffer_size() < left

    await until(has_moved)


async def test_whoever_waits_for_a_write_hears_that_the_peer_is_gone() -> None:
    writer = Writer()
    async with connected(lambda: writer):
        given_up, waiting = writer.outgoing.send(MUCH), writer.outgoing.send(b"end")
        given_up.cancel()
        writer.outgoing.fail()
        with pytest.raises(StreamClosedError):
            await waiting


@pytest.mark.skipif(
    not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system has no such option"
)
async def test_the_system_holds_little_of_what_the_peer_does_not_read() -> None:
    writer = Writer()
    async with connected(lambda: writer) as (transport, _):
        sock = transport.get_extra_info("socket")
        option = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
        assert option == UNSENT_BYTES
