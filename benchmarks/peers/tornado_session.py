"""Sessions in Tornado as people write them: a signed cookie, and GETEX by redis-py.

Usage: tornado_session.py PORT STORE_PORT.
"""

import asyncio
import json
import secrets
import sys

import tornado.web
from redis.asyncio import Redis

LIFE_SECONDS = 3600


class Resource(tornado.web.RequestHandler):
    """`GET /`: the first request signs in."""

    def initialize(self, store: Redis) -> None:
        self.store = store

    async def get(self) -> None:
        sid = self.get_signed_cookie("sid")
        if sid is None:
            sid = secrets.token_hex(16).encode()
            session = {"user": "alice"}
            await self.store.set(b"session:" + sid, json.dumps(session), ex=LIFE_SECONDS)
            self.set_signed_cookie("sid", sid)
        else:
            session = json.loads(await self.store.getex(b"session:" + sid, ex=LIFE_SECONDS) or "{}")
        self.write({"user": session["user"]})


async def main(port: int, store_port: int) -> None:
    """Serve."""
    routes = [("/", Resource, {"store": Redis(port=store_port)})]
    application = tornado.web.Application(routes, cookie_secret=secrets.token_hex())
    application.listen(port, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main(*map(int, sys.argv[1:])))
