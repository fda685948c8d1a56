"""Requests that nobody can be found for, because that fails."""

import asyncio
from typing import Any

from tornado.httputil import HTTPMessageDelegate
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from handlers.front.server import FrontServer


class Once(Application):
    """Fails at every request but the first."""

    is_used = False

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        """Say who handles it, or fail."""
        if self.is_used:
            raise RuntimeError("out of order")
        self.is_used = True
        return super().start_request(server_conn, request_conn)


class Fine(RequestHandler):
    """Answers."""

    def get(self) -> None:
        """Answer."""
        self.write("fine")


async def test_a_connection_ends_with_a_request_that_cannot_be_started() -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    server = FrontServer(Once([("/", Fine)]))
    listening, port = bind_unused_port()
    server.add_socket(listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    async with asyncio.timeout(5):
        assert (await reader.read()).count(b"fine") == 1
    assert len(failures) == 1
    writer.close()
    server.stop()
    await server.close_all_connections()
