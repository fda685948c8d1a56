"""Watches one session on one server as its owner would: an open socket, and requests, all the time.

What a server serves is tied to the moment it was asked for: the n-th `pong` answers the n-th
`ping`, a message carries when it was sent. So "nothing that was asked for after the end was served"
is checked exactly, however slow the machine is.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.support.clients.client import Client, set_cookie
from tests.support.running.waiting import until

ASK_EVERY: Final = 0.15
"""Seconds between requests, pings and messages, each."""
COME_BACK_AFTER: Final = 0.2
SERVED_OR_LATER: Final = frozenset({200, 503})


@dataclass(frozen=True)
class Served:
    """Something that a server did for the session.

    Attributes:
        what: `pong`, `message` or `HTTP`.
        asked_at: Unix seconds, when it was asked for or sent.
        at: when it arrived.
    """

    what: str
    asked_at: float
    at: float


@dataclass(frozen=True)
class Told:
    """A frame about the session, or a close frame.

    Attributes:
        word: the frame's type, or close code and reason.
        at: when it arrived.
        ended_at: what `ended` says.
    """

    word: str
    at: float
    ended_at: float | None = None


class Witness:
    """One session on one server.

    Args:
        client: has the session's cookie.
        sends: whether its socket also sends messages, to the other sockets of its user.
    """

    def __init__(self, client: Client, *, sends: bool = False) -> None:
        self._client = client
        self._sends = sends
        self._pings: deque[float] = deque()
        self.served: list[Served] = []
        self.told: list[Told] = []
        self.statuses: set[int] = set()
        self.lost_cookie = False

    @property
    def words(self) -> list[str]:
        """What the sockets were told, in order."""
        return [each.word for each in self.told]

    @property
    def is_signed_out(self) -> bool:
        """Whether it was refused, told to stop, or its browser made to forget the cookie."""
        told_to_stop = any(word.startswith("44") for word in self.words)
        return self.lost_cookie or told_to_stop or not self.statuses <= SERVED_OR_LATER

    def silent_at(self, since: float) -> float:
        """When the first socket was closed or held for good, at `since` if it was before."""
        quiet: float | None = None
        for each in self.told:
            if each.word in {"hello", "resume"}:
                quiet = None
            elif quiet is None:
                quiet = each.at
        return max(since, quiet or time.time())

    def is_served(self, since: float) -> bool:
        """Whether it was served over both ways what it asked for after `since`."""
        kinds = {each.what for each in self.served if each.asked_at > since}
        return {"pong", "HTTP"} <= kinds

    async def until_served(self, since: float) -> float:
        """Wait for `is_served`; when that was."""

        async def is_served() -> bool:
            return self.is_served(since)

        await until(is_served)
        return max(
            min(each.at for each in self.served if each.asked_at > since and each.what == what)
            for what in ("pong", "HTTP")
        )

    async def until_told(self, word: str) -> None:
        """Wait until a socket was told so."""

        async def is_told() -> bool:
            return word in self.words

        await until(is_told)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch, once the first socket is open."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._keep_open()), group.create_task(self._keep_asking())]
            await self.until_told("hello")
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _keep_asking(self) -> None:
        """Without waiting for answers: some requests wait where a process is stopped."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._request())
                await asyncio.sleep(ASK_EVERY)

    async def _request(self) -> None:
        asked_at = time.time()
        try:
            answer = await self._client.http.get("/api/session")
        except httpx.TransportError:
            return
        self.statuses.add(answer.status_code)
        self.lost_cookie |= set_cookie(answer) == ""
        if answer.status_code == httpx.codes.OK:
            self.served.append(Served("HTTP", asked_at, time.time()))

    async def _keep_open(self) -> None:
        """Come back after every close that does not say stop."""
        while not any(word.startswith("44") for word in self.words):
            try:
                async with self._client.open_socket(close_timeout=1, proxy=None) as socket:
                    await self._listen(socket)
            except (OSError, TimeoutError, InvalidHandshake):
                pass
            await asyncio.sleep(COME_BACK_AFTER)

    async def _listen(self, socket: ClientConnection) -> None:
        self._pings.clear()
        asking = asyncio.create_task(self._ask(socket))
        try:
            while True:
                self._take(json.loads(await socket.recv()))
        except ConnectionClosed as closed:
            word = f"{closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "cut"
            self.told.append(Told(word, time.time()))
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _ask(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._pings.append(time.time())
                await socket.send('{"type":"ping"}')
                if self._sends:
                    data = {"sent": time.time()}
                    await socket.send(json.dumps({"type": "message", "data": data}))
                await asyncio.sleep(ASK_EVERY)
        except ConnectionClosed:
            return

    def _take(self, frame: dict[str, object]) -> None:
        now = time.time()
        match frame:
            case {"type": "pong"}:
                self.served.append(Served("pong", self._pings.popleft(), now))
            case {"type": "message", "data": {"sent": float(sent)}}:
                self.served.append(Served("message", sent, now))
            case {"type": "ended", "at": at}:
                assert at is None or isinstance(at, float)
                self.told.append(Told("ended", now, at))
            case {"type": str(word)} if word not in {"sessions", "error"}:
                self.told.append(Told(word, now))
