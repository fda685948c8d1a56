"""The other end of a connection: it reads and writes only what a test says."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

PATIENCE_SECONDS = 20.0
PIECE_BYTES = 64 * 1024


class Peer:
    """A connected socket that nobody reads in between.

    Args:
        sock: connected; it becomes non-blocking.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, size: int) -> bytes:
        """Read so many bytes, or what comes before the end of the connection."""
        loop, got = asyncio.get_running_loop(), bytearray()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(got) < size:
                data = await loop.sock_recv(self.sock, min(PIECE_BYTES, size - len(got)))
                if not data:
                    break
                got += data
        return bytes(got)

    async def read_until(self, end: bytes) -> bytes:
        """Read to the end of these bytes, and nothing behind them."""
        got = b""
        while not got.endswith(end) and (data := await self.read(1)):
            got += data
        return got

    async def read_all(self) -> bytes:
        """Read to the end of the connection."""
        return await self.read(2**62)

    def close(self) -> None:
        """Close at once."""
        self.sock.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a TCP connection; the second has little room for what it does not read."""
    with socket.socket() as listening, socket.socket() as near:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE_BYTES)
        near.connect(listening.getsockname())
        accepted, _ = listening.accept()
        return accepted, near.dup()


@asynccontextmanager
async def connected(
    protocol: Callable[[], asyncio.BaseProtocol],
    pair: Callable[[], tuple[socket.socket, socket.socket]] = tcp_pair,
) -> AsyncIterator[tuple[asyncio.Transport, Peer]]:
    """Give a protocol a transport; what the peer has not closed at the end is closed.

    Args:
        protocol: makes it.
        pair: makes the two ends, ours first.
    """
    ours, theirs = pair()
    ours.setblocking(False)
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(protocol, ours)
    peer = Peer(theirs)
    try:
        yield transport, peer
    finally:
        transport.abort()
        if peer.sock.fileno() >= 0:
            with suppress(OSError):
                await peer.read_all()
        peer.close()
