"""Pings the sockets of a process, which finds dead peers. Idle sockets share one timer."""

import asyncio
from typing import Final, Protocol

TURNS: Final = 25
"""Parts of an interval. In each, the sockets have their turn that were opened in the same part."""
AT_ONCE: Final = 50
"""Sockets that are pinged before others have their turn: each takes about 30 microseconds."""


class Pinged(Protocol):
    """One socket's protocol."""

    def ping(self) -> None:
        """Ping the peer, or close if it has not answered the last ping."""
        ...


class Pings:
    """Pings each socket once in an interval, first when it is an interval old.

    Args:
        interval: in seconds.

    Attributes:
        interval: the same.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._pause = interval / TURNS
        self._turns: list[dict[Pinged, None]] = [{} for _ in range(TURNS)]
        self._turn_of: dict[Pinged, int] = {}
        self._now = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, socket: Pinged) -> None:
        """Ping a socket from now on."""
        self._turns[self._now][socket] = None
        self._turn_of[socket] = self._now
        if self._timer is None:
            self._wait()

    def discard(self, socket: Pinged) -> None:
        """Ping a socket no more."""
        turn = self._turn_of.pop(socket, None)
        if turn is not None:
            del self._turns[turn][socket]

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._next_turn)

    def _next_turn(self) -> None:
        self._timer = None
        if self._turn_of:
            self._wait()
            self._now = (self._now + 1) % TURNS
            self._ping(list(self._turns[self._now]))

    def _ping(self, due: list[Pinged]) -> None:
        for socket in due[:AT_ONCE]:
            if socket in self._turn_of:
                socket.ping()
        if due[AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._ping, due[AT_ONCE:])
