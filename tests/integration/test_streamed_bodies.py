"""Bodies that an application takes piece by piece, at its own speed."""

import asyncio

from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler, stream_request_body

from handlers.front.server import FrontServer

SIZE = 8 * 1024 * 1024


@stream_request_body
class Slow(RequestHandler):
    """Takes a first piece when it is told to, and then the rest."""

    may_begin = asyncio.Event()
    got = 0

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece when it may."""
        await Slow.may_begin.wait()
        await asyncio.sleep(0)
        self.got += len(chunk)

    def put(self) -> None:
        """Say how much came."""
        self.write(str(self.got))


async def test_a_peer_sends_no_faster_than_the_application_takes() -> None:
    server = FrontServer(Application([("/", Slow)]), max_body_size=SIZE)
    listening, port = bind_unused_port()
    server.add_socket(listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % SIZE
    writer.write(head + b"x" * SIZE)
    await asyncio.sleep(0.3)
    waiting = writer.transport.get_write_buffer_size()
    await asyncio.sleep(0.3)
    assert writer.transport.get_write_buffer_size() == waiting > 0
    Slow.may_begin.set()
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n%d" % SIZE)
    writer.close()
    server.stop()
    await server.close_all_connections()
