"""Bare Tornado: no session at all. Usage: tornado_bare.py PORT STORE_PORT."""

import asyncio
import sys

import tornado.web


class Resource(tornado.web.RequestHandler):
    """`GET /`"""

    def get(self) -> None:
        self.write({"user": "alice"})


async def main(port: int) -> None:
    """Serve."""
    tornado.web.Application([("/", Resource)]).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
