"""Sockets in Tornado as people write them. Usage: … PORT STORE_PORT bare|session|pubsub.

`bare` knows no sessions. `session` checks a signed cookie by GETEX before a socket opens. With
`pubsub`, a logout is published, and every process closes the session's sockets.
"""

import asyncio
import json
import secrets
import sys
from collections import defaultdict

from redis.asyncio import Redis
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

LIFE_SECONDS = 3600
CHANNEL = "logouts"


class Server:
    """What all handlers share."""

    def __init__(self, store_port: int, kind: str) -> None:
        self.store = Redis(port=store_port)
        self.kind = kind
        self.sockets: defaultdict[str, set[Socket]] = defaultdict(set)

    async def follow(self) -> None:
        """Close the sockets of sessions whose logout is published."""
        async with self.store.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    for socket in list(self.sockets[message["data"].decode()]):
                        socket.close(4401, "logout")


class Socket(WebSocketHandler):
    """`GET /ws?session=…`"""

    def initialize(self, server: Server) -> None:
        self.server = server
        self.session = self.get_query_argument("session", "")

    async def prepare(self) -> None:
        """Check the session, if there are any."""
        if self.server.kind == "session":
            sid = self.get_signed_cookie("sid") or b""
            if not await self.server.store.getex(b"session:" + sid, ex=LIFE_SECONDS):
                self.send_error(401)

    def check_origin(self, origin: str) -> bool:
        """Return True."""
        return bool(origin) or True

    def open(self) -> None:
        """Note the socket, and say so."""
        self.server.sockets[self.session].add(self)
        self.write_message("ready")

    def on_message(self, message: str | bytes) -> None:
        """Do nothing."""

    def on_close(self) -> None:
        """Forget the socket."""
        self.server.sockets[self.session].discard(self)


class Logout(RequestHandler):
    """`POST /logout?session=…`"""

    def initialize(self, server: Server) -> None:
        self.server = server

    async def post(self) -> None:
        await self.server.store.publish(CHANNEL, self.get_query_argument("session"))
        self.write({"done": True})


class Close(RequestHandler):
    """`POST /close`: close every socket, in one loop."""

    def initialize(self, server: Server) -> None:
        self.server = server

    def post(self) -> None:
        for sockets in list(self.server.sockets.values()):
            for socket in list(sockets):
                socket.close(4401, "logout")
        self.write({"done": True})


class Say(RequestHandler):
    """`POST /say?times=…`: write to every socket, in one loop."""

    def initialize(self, server: Server) -> None:
        self.server = server

    async def post(self) -> None:
        for _ in range(int(self.get_query_argument("times"))):
            for sockets in list(self.server.sockets.values()):
                for socket in list(sockets):
                    socket.write_message("x" * 200)
            await asyncio.sleep(0)
        self.write({"done": True})


class Root(RequestHandler):
    """`GET /`: signs in."""

    def initialize(self, server: Server) -> None:
        self.server = server

    async def get(self) -> None:
        if self.server.kind == "session" and not self.get_signed_cookie("sid"):
            sid = secrets.token_hex(16).encode()
            session = json.dumps({"user": "alice"})
            await self.server.store.set(b"session:" + sid, session, ex=LIFE_SECONDS)
            self.set_signed_cookie("sid", sid)
        self.write({"user": "alice"})


async def main(port: int, store_port: int, kind: str) -> None:
    """Serve."""
    server = Server(store_port, kind)
    handlers = {"/": Root, "/ws": Socket, "/logout": Logout, "/close": Close, "/say": Say}
    routes = [(path, handler, {"server": server}) for path, handler in handlers.items()]
    application = Application(routes, cookie_secret=secrets.token_hex())
    application.listen(port, "127.0.0.1")
    await (server.follow() if kind == "pubsub" else asyncio.Event().wait())


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
