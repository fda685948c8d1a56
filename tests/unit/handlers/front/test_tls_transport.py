"""TLS on a real socket: data both ways, pauses, goodbyes, and handshakes that fail."""

import asyncio
import select
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from handlers.front.limits import READ_BYTES
from handlers.front.tls_transport import TlsTransport
from handlers.front.turns import Turns
from server.crypto.certificate import ensure_certificate
from tests.support.clients.peer import Peer, tcp_pair
from tests.support.running.waiting import until

RESET_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: a close tells the peer that what it sends is lost."""

MUCH = b"x" * (4 * 1024 * 1024)


class Receiver(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.calls = list[str]()
        self.has_come = asyncio.Event()
        self.may_write = asyncio.Event()
        self.is_lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received += data
        self.has_come.set()

    def eof_received(self) -> None:
        """Note it."""
        self.calls.append("eof")

    def pause_writing(self) -> None:
        """Note it."""
        self.calls.append("pause")

    def resume_writing(self) -> None:
        """Note it."""
        self.calls.append("resume")
        self.may_write.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note it."""
        self.calls.append("lost")
        self.is_lost.set()

    async def received_all(self, size: int) -> bytes:
        """Wait for so many bytes."""
        while len(self.received) < size:
            self.has_come.clear()
            await self.has_come.wait()
        return bytes(self.received)


class Opened:
    """A connection under TLS, before its handshake.

    Attributes:
        receiver: of our end.
        share: of the loop's turns.
        transport: of our end.
        peer: the bare socket of the other end.
    """

    def __init__(self, certificate: Path, ours: socket.socket, theirs: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        ours.setblocking(False)
        wrapped = context.wrap_socket(ours, server_side=True, do_handshake_on_connect=False)
        self.receiver = Receiver()
        loop = asyncio.get_running_loop()
        self.share = Turns(loop).share_of("192.0.2.1")
        self.transport = TlsTransport(loop, wrapped, ("192.0.2.1", 7), self.receiver, self.share)
        self.peer = Peer(theirs)
        self._certificate = certificate

    async def is_shaken(self) -> bool:
        """Tell whether our end has shaken hands."""
        return self.transport._is_shaken

    async def shake_hands(
        self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the other end of TLS, that speaks no later version."""
        context = ssl.create_default_context(cafile=self._certificate)
        context.maximum_version = version
        return await asyncio.open_connection(
            sock=self.peer.sock, ssl=context, server_hostname="127.0.0.1"
        )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls") / "certificate.pem"
    ensure_certificate(made, made.with_suffix(".key"), frozenset({"127.0.0.1"}))
    return made


@asynccontextmanager
async def opened(certificate: Path) -> AsyncIterator[Opened]:
    """Open a connection; what is open of it at the end is closed."""
    made = Opened(certificate, *tcp_pair())
    try:
        async with asyncio.timeout(20):
            yield made
    finally:
        made.transport.abort()
        await made.receiver.is_lost.wait()
        made.peer.close()


async def gone(writer: asyncio.StreamWriter) -> None:
    """Close the other end of TLS, however it is."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_a_handshake_waits_for_its_turn(certificate: Path) -> None:
    async with opened(certificate) as tls:
        handshakes = list[str]()
        for each in range(100):
            tls.share.wait(lambda each=each: handshakes.append(str(each)))  # type: ignore[misc]
        _, writer = await tls.shake_hands()
        assert len(handshakes) == 100
        await gone(writer)


async def test_data_goes_both_ways_after_the_handshake(certificate: Path) -> None:
    async with opened(certificate) as tls:
        reader, writer = await tls.shake_hands()
        writer.write(MUCH)
        assert await tls.receiver.received_all(len(MUCH)) == MUCH
        tls.transport.write(b"back")
        assert await reader.readexactly(4) == b"back"
        await gone(writer)


async def test_a_pause_leaves_what_comes_and_loses_nothing(certificate: Path) -> None:
    async with opened(certificate) as tls:
        _, writer = await tls.shake_hands()
        writer.write(b"x" * READ_BYTES)
        await tls.receiver.received_all(READ_BYTES)
        tls.transport.pause_reading()
        assert not tls.transport.is_reading()
        sock = tls.transport.get_extra_info("socket")
        assert not asyncio.get_running_loop().remove_reader(sock), "nobody looks at it"
        writer.write(MUCH)
        assert select.select([sock], [], [], 20)[0]
        await asyncio.sleep(0)  # the loop looks at its sockets
        assert len(tls.receiver.received) == READ_BYTES
        tls.transport.resume_reading()
        assert len(await tls.receiver.received_all(READ_BYTES + len(MUCH))) == READ_BYTES + len(
            MUCH
        )
        await gone(writer)


async def test_the_protocol_hears_what_has_not_gone_out_and_when_it_has(certificate: Path) -> None:
    async with opened(certificate) as tls:
        reader, writer = await tls.shake_hands()
        tls.transport.write(MUCH)
        assert tls.receiver.calls == ["pause"]
        assert tls.transport.get_write_buffer_size() > 0
        assert await reader.readexactly(len(MUCH)) == MUCH
        await tls.receiver.may_write.wait()
        assert tls.receiver.calls == ["pause", "resume"]
        assert tls.transport.get_write_buffer_size() == 0
        await gone(writer)


@pytest.mark.parametrize("sent", [b"end", MUCH])
async def test_a_close_sends_all_and_says_goodbye(certificate: Path, sent: bytes) -> None:
    async with opened(certificate) as tls:
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context(cafile=certificate)
        tls.peer.sock.settimeout(20)
        shaken = context.wrap_socket(
            tls.peer.sock,
            server_hostname="127.0.0.1",
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,  # an end without a goodbye is an error
        )
        with shaken:
            await loop.run_in_executor(None, shaken.do_handshake)
            await until(tls.is_shaken)
            tls.transport.write(sent)
            tls.transport.close()
            tls.transport.write(b"more")
            assert await loop.run_in_executor(None, read_to_goodbye, shaken) == sent
        await tls.receiver.is_lost.wait()
        assert tls.receiver.calls[-1] == "lost"


def read_to_goodbye(sock: ssl.SSLSocket) -> bytes:
    """Read to TLS's own end."""
    got = b""
    while data := sock.recv(READ_BYTES):
        got += data
    return got


async def test_the_protocol_hears_once_that_the_connection_is_lost(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(certificate) as tls:
        tls.transport.abort()
        tls.transport.abort()
        await tls.receiver.is_lost.wait()
        await asyncio.sleep(0)  # the loop has called both
        assert tls.receiver.calls == ["lost"]
        assert not caplog.records, "the loop has met no failure"


async def test_an_abort_forgets_what_has_not_gone_out(certificate: Path) -> None:
    async with opened(certificate) as tls:
        reader, writer = await tls.shake_hands()
        tls.transport.write(MUCH)
        tls.transport.abort()
        await tls.receiver.is_lost.wait()
        with suppress(OSError):
            assert len(await reader.read()) < len(MUCH)
        await gone(writer)


async def test_a_peer_that_says_no_more_is_gone(certificate: Path) -> None:
    async with opened(certificate) as tls:
        _, writer = await tls.shake_hands()
        writer.write(b"a")
        await tls.receiver.received_all(1)
        await gone(writer)
        await tls.receiver.is_lost.wait()
        assert tls.receiver.calls == ["eof", "lost"]


async def test_a_handshake_that_fails_ends_with_an_alert_and_a_line_in_the_log(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(certificate) as tls:
        with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
            await tls.shake_hands(ssl.TLSVersion.TLSv1_2)
        await tls.receiver.is_lost.wait()
    (message,) = (each for each in caplog.messages if each.startswith("SSL Error"))
    assert "192.0.2.1" in message


async def test_who_leaves_before_the_handshake_is_not_logged(
    certificate: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(certificate) as tls:
        tls.peer.close()
        await tls.receiver.is_lost.wait()
    assert not caplog.records


async def test_data_goes_to_the_protocol_that_was_set_last(certificate: Path) -> None:
    async with opened(certificate) as tls:
        _, writer = await tls.shake_hands()
        second = Receiver()
        tls.transport.set_protocol(second)
        assert tls.transport.get_protocol() is second
        writer.write(b"a")
        await second.received_all(1)
        tls.transport.set_protocol(tls.receiver)
        await gone(writer)


async def test_a_write_to_a_peer_that_has_reset_the_connection_ends_it(certificate: Path) -> None:
    async with opened(certificate) as tls:
        _, writer = await tls.shake_hands()
        await until(tls.is_shaken)
        tls.transport.pause_reading()  # so that only a write can find out
        tls.peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        writer.transport.abort()
        while not tls.transport.is_closing():
            tls.transport.write(MUCH)
            await asyncio.sleep(0)
        await tls.receiver.is_lost.wait()
        assert tls.receiver.calls[-1] == "lost"


class WritesFirst:
    """A socket that must write before it gives what it has read, as when TLS takes another key."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._held: bytes | None = None

    def recv(self, size: int) -> bytes:
        """Hold the first bytes back: the system shows nothing more to read."""
        if self._held is None:
            self._held = self._sock.recv(size)
            raise ssl.SSLWantWriteError
        held, self._held = self._held, b""
        return held or self._sock.recv(size)

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


async def test_a_read_that_must_write_first_is_tried_again_when_the_socket_takes_bytes(
    certificate: Path,
) -> None:
    async with opened(certificate) as tls:
        _, writer = await tls.shake_hands()
        await until(tls.is_shaken)
        tls.transport._sock = WritesFirst(tls.transport._sock)  # type: ignore[assignment]
        writer.write(b"abc")
        async with asyncio.timeout(5):
            assert await tls.receiver.received_all(3) == b"abc"
        await gone(writer)
