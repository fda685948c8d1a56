"""Connections that their peer resets."""

import asyncio
import socket
import ssl
import struct
from pathlib import Path

from tornado.testing import bind_unused_port
from tornado.web import Application

from handlers.front.server import FrontServer
from server.crypto.certificate import ensure_certificate

RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Noticing(FrontServer):
    """Tells when a connection is gone."""

    noticed: asyncio.Event

    def on_close(self, server_conn: object) -> None:
        """Tell."""
        super().on_close(server_conn)
        self.noticed.set()


def connect(port: int) -> ssl.SSLSocket:
    """Shake hands."""
    context = ssl._create_unverified_context()  # noqa: S323
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))


async def reset_behind_two_records(context: ssl.SSLContext) -> None:
    """Reset a connection; return when the server has noticed."""
    server = Noticing(Application([]), ssl_options=context)
    server.noticed = asyncio.Event()
    listening, port = bind_unused_port()
    server.add_socket(listening)
    peer = await asyncio.to_thread(connect, port)
    # The server has no turn before all of this is there.
    peer.send(b"GET ")
    peer.send(b"/")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    peer.close()
    try:
        async with asyncio.timeout(2):
            await server.noticed.wait()
    finally:
        server.stop()
        await server.close_all_connections()


async def test_a_reset_under_tls_is_noticed_behind_what_came_before_it(tmp_path: Path) -> None:
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    ensure_certificate(*files, frozenset({"127.0.0.1"}))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    await reset_behind_two_records(context)
