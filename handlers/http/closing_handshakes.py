"""Waits for the answers to our close frames, of all sockets of a process together.

When many sessions end, people wait for the close frames, and nobody waits for the answers to them.
To read an answer and to take its socket apart costs several times as much as a close frame. So as
long as sockets are being closed, those that were closed are not read. They are read in slices as
soon as a turn of the loop closes none, or when the first of them has waited for `LATEST`.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final, Protocol

PATIENCE: Final = 5.0
"""Seconds for an answer, until the peer is disconnected."""
LATEST: Final = 0.5
"""Seconds for which an answer is left unread, at most."""
AT_ONCE: Final = 25
"""Sockets that are read again before others have their turn: each takes up to a tenth of a ms."""


class Closed(Protocol):
    """One socket's protocol, after its close frame."""

    def read_on(self) -> None:
        """Read what the peer sends."""

    def give_up(self) -> None:
        """Disconnect the peer: it does not answer."""


class ClosingSocket:
    """A socket whose answer to the close frame is awaited.

    Args:
        closed: whose.
        since: when its close frame went out, by the loop's clock.
    """

    __slots__ = ("closed", "since")

    def __init__(self, closed: Closed, since: float) -> None:
        self.closed: Closed | None = closed
        self.since = since

    def cancel(self) -> None:
        """Wait no more: the answer came, or the connection is gone."""
        self.closed = None


class ClosingHandshakes:
    """The sockets that have sent their close frame."""

    def __init__(self) -> None:
        self._awaited = deque[ClosingSocket]()
        self._unread = deque[ClosingSocket]()
        self._timer: asyncio.Handle | None = None
        self._has_closed = False

    def wait_for(self, closed: Closed) -> ClosingSocket:
        """Disconnect a peer that does not answer. What is returned can be cancelled."""
        loop = asyncio.get_running_loop()
        awaited = ClosingSocket(closed, loop.time())
        self._awaited.append(awaited)
        if self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._give_up)
        return awaited

    def read_later(self, awaited: ClosingSocket) -> None:
        """Call `read_on` when no more sockets are being closed."""
        if not self._unread:
            asyncio.get_running_loop().call_soon(self._read_on)
        self._unread.append(awaited)
        self._has_closed = True

    def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        waits, self._has_closed = self._has_closed, False
        if not waits or loop.time() - self._unread[0].since > LATEST:
            for _ in range(min(AT_ONCE, len(self._unread))):
                if closed := self._unread.popleft().closed:
                    loop.call_soon(closed.read_on)  # not here: one that fails must not stop others
        if self._unread:
            loop.call_soon(self._read_on)

    def _give_up(self) -> None:
        """Give up on those whose time is over, and come again for the next one."""
        loop, gave_up, self._timer = asyncio.get_running_loop(), 0, None
        while self._awaited:
            first = self._awaited[0]
            left = first.since + PATIENCE - loop.time() if first.closed else 0.0
            if left > 0 or gave_up == AT_ONCE:
                again = loop.call_soon if left <= 0 else partial(loop.call_later, left)
                self._timer = again(self._give_up)
                return
            self._awaited.popleft()
            if first.closed:
                gave_up += 1
                loop.call_soon(first.closed.give_up)
