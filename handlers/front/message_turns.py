"""The messages of one user on sockets: they begin one by one, on however many sockets they come.

Each address has its part of the loop's turns, but one user may have sockets at many addresses, and
a message costs as much as the user has sockets. So a user's next message begins when the one before
has been handled, or has been for `COMPUTES`; while requests are under way, no more begin than
`BESIDE_OTHERS` allows.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from handlers.front.turns import BESIDE_OTHERS, COMPUTES, SHORTEST
from handlers.front.under_way import RequestsOfAddress, RequestsUnderWay

REMEMBERED: Final = 256
"""Users who sent messages lately. What is known of them keeps them from sending many at once."""


class MessageTurns:
    """The turns of all users. Those of whom no message is here are forgotten after a while.

    Args:
        requests: those that are under way.
        now: the clock of `BESIDE_OTHERS`.
    """

    def __init__(self, requests: RequestsUnderWay, now: Callable[[], float]) -> None:
        self._requests = requests
        self._now = now
        self._users: WeakValueDictionary[str, TurnsOfUser] = WeakValueDictionary()
        self._latest: deque[TurnsOfUser] = deque(maxlen=REMEMBERED)

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """Wait for a user's turn, and have it until the message is handled."""
        turns = self._users.get(user)
        if turns is None:
            turns = self._users[user] = TurnsOfUser(self._requests, self._now)
            self._latest.append(turns)
        await turns.begin()
        try:
            yield
        finally:
            turns.end()


class TurnsOfUser:
    """The turns of one user; see `MessageTurns`."""

    __slots__ = ("__weakref__", "_begun_at", "_full_at", "_line", "_now", "_others", "_under_way")

    def __init__(self, requests: RequestsUnderWay, now: Callable[[], float]) -> None:
        self._others = RequestsOfAddress(requests)
        self._now = now
        self._line = asyncio.Lock()
        self._under_way = 0
        self._begun_at = self._full_at = 0.0

    async def begin(self) -> None:
        """Wait until the next message may begin, behind those that came before."""
        async with self._line:
            while True:
                wait = self._begins_in()
                if wait <= 0:
                    break
                await asyncio.sleep(max(wait, SHORTEST))
        self._under_way += 1

    def end(self) -> None:
        """Note that a message was handled."""
        self._under_way -= 1

    def _begins_in(self) -> float:
        """Return in how many seconds to ask again; 0 if one begins now, which is counted."""
        now = self._now()
        if self._under_way and now < self._begun_at + COMPUTES:
            return self._begun_at + COMPUTES - now
        full_at = BESIDE_OTHERS.take(self._full_at, now)
        if full_at is None and self._others.has_others_under_way:
            return BESIDE_OTHERS.next_at(self._full_at) - now
        self._full_at = full_at or self._full_at
        self._begun_at = now
        return 0.0
