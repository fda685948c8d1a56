"""Shares each turn of the loop between the addresses that the peers have.

A turn of the loop lasts as long as the work that begins in it. Everybody else waits for its end:
other people's requests, and the renewal of the lease. So only `BEGIN_AT_MOST` pieces of work begin
in a turn, and `SHARE` of them at one address's request. The rest waits: one after the other, with
each address in its turn.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from server.core.addresses import network_of

SHARE: Final = 4
"""Pieces of work that begin in one turn for one address. One would ask the system for news before
each piece, which costs a tenth of an ordinary request."""
BEGIN_AT_MOST: Final = 16
"""Pieces of work that begin in one turn for all."""


class Share:
    """One address's part of each turn. Its connections have it in common.

    Args:
        turns: what it is a part of.
    """

    __slots__ = ("__weakref__", "_begun", "_further", "_is_further_next", "_new", "_turn", "_turns")

    def __init__(self, turns: "Turns") -> None:
        self._turns = turns
        self._turn = -1
        self._begun = 0
        self._new: deque[Callable[[], None]] = deque()
        self._further: deque[Callable[[], None]] = deque()
        self._is_further_next = False

    @property
    def is_waiting(self) -> bool:
        """Whether some work of this address waits."""
        return bool(self._new or self._further)

    def may_begin(self) -> bool:
        """Return whether work may begin now, and count it; else it must wait."""
        return not self._new and self.take()

    def take(self) -> bool:
        """Count a piece of work that begins in this turn, if there is room for it."""
        turns = self._turns
        if self._turn != turns.number:
            self._turn, self._begun = turns.number, 0
        if self._begun == SHARE or not turns.take():
            return False
        self._begun += 1
        return True

    def wait(self, begin: Callable[[], None], *, is_further: bool = False) -> None:
        """Call `begin` in a later turn.

        Args:
            begin: the work.
            is_further: whether its client has sent it before it had read the answer to its last
                request. Such work waits behind that of clients who ask one by one.
        """
        if not self.is_waiting:
            self._turns.wait(self)
        (self._further if is_further else self._new).append(begin)

    def next(self) -> Callable[[], None]:
        """Take out what begins next: alternately the two kinds, if there are both."""
        is_further = bool(self._further) and (self._is_further_next or not self._new)
        self._is_further_next = not is_further
        return (self._further if is_further else self._new).popleft()


class Turns:
    """Counts what begins in a turn of the loop, and keeps what waits for a later one.

    Args:
        loop: whose turns they are.

    Attributes:
        number: of the current turn, among those in which something began.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._shares: WeakValueDictionary[str, Share] = WeakValueDictionary()
        self._waiting: deque[Share] = deque()
        self._begun = 0
        self._is_counting = False
        self.number = 0

    def share_of(self, address: str) -> Share:
        """Return the share of an address; all addresses of one client have the same."""
        network = network_of(address)
        share = self._shares.get(network)
        if share is None:
            share = self._shares[network] = Share(self)
        return share

    def take(self) -> bool:
        """Count a piece of work that begins in this turn, if there is room for it."""
        if self._begun == BEGIN_AT_MOST:
            return False
        self._begun += 1
        self._count()
        return True

    def wait(self, share: Share) -> None:
        """Give this share its part of the turns to come, from the next one on."""
        self._waiting.append(share)
        self._count()

    def _count(self) -> None:
        """Begin a new count with the next turn of the loop."""
        if not self._is_counting:
            self._is_counting = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        """Begin what waits, one of each address after the other, as long as there is room."""
        self._is_counting = False
        self._begun = 0
        self.number += 1
        later: list[Share] = []
        while self._waiting and self._begun < BEGIN_AT_MOST:
            share = self._waiting.popleft()
            if not share.take():
                later.append(share)
                continue
            # Not called here: one that fails must not stop the others.
            self._loop.call_soon(share.next())
            if share.is_waiting:
                self._waiting.append(share)
        if later or self._waiting:
            self._waiting.extend(later)
            self._count()
