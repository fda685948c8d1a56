"""Shares each turn of the loop between the addresses that the peers have.

A turn of the loop lasts as long as the work that begins in it. Everybody else waits for its end:
other people's requests, and the renewal of the lease. So at most `BEGIN_AT_MOST` pieces of work
begin in a turn. As long as several addresses ask for some, each has one in a turn; the rest waits,
one after the other, with each address in its turn. An address that is alone has all of them: with
fewer, the loop would ask the system for news more often, which costs a tenth of a request. So has
a trusted proxy: it limits each of its clients itself, and a probe must not slow all of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from server.core.addresses import network_of

BEGIN_AT_MOST: Final = 32
"""Pieces of work that begin in one turn. A costly one takes less than a millisecond."""
REMEMBERED: Final = 256
"""So many turns an address is taken for active after its last work. An ordinary user asks seldom,
but each request takes several turns and must find them short."""


class Share:
    """One address's part of each turn. Its connections have it in common.

    Args:
        turns: what it is a part of.
        is_of_many: whether many clients have this address, as behind a trusted proxy.

    Attributes:
        is_of_many: the same.
    """

    __slots__ = (
        "__weakref__", "_begun", "_further", "_is_further_next", "_new", "_turn", "_turns",
        "is_of_many",
    )  # fmt: skip

    def __init__(self, turns: "Turns", *, is_of_many: bool = False) -> None:
        self.is_of_many = is_of_many
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
        return not self._new and self._take()

    def wait(self, begin: Callable[[], None], *, is_further: bool = False) -> None:
        """Call `begin` in a later turn.

        Args:
            begin: the work.
            is_further: whether its client has sent it before it had read the answer to its last
                request. One of these begins in a turn.
        """
        if not self.is_waiting:
            self._turns.wait(self)
        (self._further if is_further else self._new).append(begin)

    def take_waiting(self) -> Callable[[], None] | None:
        """Take out what begins next in this turn; return None if there is no room for it."""
        is_first = self._turn != self._turns.number or not self._begun
        if not (is_first or self._new) or not self._take():
            return None
        is_further = is_first and bool(self._further) and (self._is_further_next or not self._new)
        if is_first:
            self._is_further_next = not is_further
        return (self._further if is_further else self._new).popleft()

    def _take(self) -> bool:
        """Count a piece of work that begins in this turn, if there is room for it."""
        turns = self._turns
        if self._turn != turns.number:
            self._turn, self._begun = turns.number, 0
        if self._begun >= turns.each_at_most(self) or not turns.take():
            return False
        self._begun += 1
        return True


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
        self._latest: Share | None = None
        self._several_until = 0
        self.number = 0

    def share_of(self, address: str, *, is_of_many: bool = False) -> Share:
        """Return the share of an address; all addresses of one client have the same.

        Args:
            address: of a peer.
            is_of_many: whether many clients have this address.
        """
        network = network_of(address)
        share = self._shares.get(network)
        if share is None:
            share = self._shares[network] = Share(self, is_of_many=is_of_many)
        return share

    def each_at_most(self, share: Share) -> int:
        """Return how much may begin in this turn for one address, now that `share` has work."""
        if share is not self._latest:
            if self._latest is not None:
                self._several_until = self.number + REMEMBERED
            self._latest = share
        is_one_of_several = self.number < self._several_until and not share.is_of_many
        return 1 if is_one_of_several else BEGIN_AT_MOST

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
            begin = share.take_waiting()
            if begin is None:
                later.append(share)
                continue
            self._loop.call_soon(begin)  # not here: one that fails must not stop the others
            if share.is_waiting:
                self._waiting.append(share)
        if later or self._waiting:
            self._waiting.extend(later)
            self._count()
