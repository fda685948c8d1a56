"""Shares each turn of the loop between the addresses that the peers have.

A turn of the loop lasts as long as the work that begins in it. Everybody else waits for its end:
other people's requests, and the renewal of the lease. So at most `BEGIN_AT_MOST` pieces of work
begin in a turn. As long as several addresses ask for some, each has one in a turn; the rest waits,
one after the other, with each address in its turn. An address that is alone has all of them: with
fewer, the loop would ask the system for news more often, which costs a tenth of a request. So has
a trusted proxy, until the head of a request says which of its clients has sent it; from then on the
request has that client's part.

A request takes several turns, so even one piece of somebody else's work in each of them makes it
several times as slow. While requests of other addresses are under way, an address therefore begins
no more than `BESIDE_OTHERS` allows. In between, it has the whole process, but begins its requests
one by one, each when the one before has ended or has been under way for `COMPUTES`: somebody
else's may come at any moment, and waits for what is left of all that have begun.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from weakref import WeakValueDictionary

from handlers.front.under_way import RequestsOfAddress, RequestsUnderWay, UnderWay
from server.core.addresses import network_of
from server.core.rate import Rate

BEGIN_AT_MOST: Final = 32
"""Pieces of work that begin in one turn. A costly one takes less than a millisecond."""
REMEMBERED: Final = 4096
REMEMBERED_SECONDS: Final = 10.0
"""So many turns, and so long, an address is taken for active after its last work. An ordinary user
asks seldom, but each request takes several turns and must find them short."""
BESIDE_OTHERS: Final = Rate(per_second=250, burst=1)
"""Pieces of work of one address while requests of others are under way, by `time_of_work`. They
take a fifth of the process then. An office of a thousand people asks less often than that."""
SHORTEST: Final = 0.001
"""Seconds between two looks at what waits; uvloop's timers are no finer."""
COMPUTES: Final = 0.002
"""Seconds, by `time_of_work`, after which a request of one address makes room for its next one, as
long as several addresses are active. One that takes longer mostly waits: for a hash, for a body, or
for another service. Ten times as long goes by on a process that has nothing else to do."""

Begin = Callable[[], None]
_NOTHING: Final[deque[Begin]] = deque(maxlen=0)
"""An address of which nothing waits needs no queue of its own: there may be one for each socket."""


def time_of_work() -> float:
    """Return seconds of a clock that runs slowly while this process waits for a processor.

    Where other programs want the processor as well, a request takes long, and is no nearer to its
    end. Four fifths of this clock are the processor time of this thread, the rest is real time.
    """
    return 0.8 * time.thread_time() + 0.2 * time.monotonic()


class Share(RequestsOfAddress):
    """One address's part of each turn. Its connections have it in common.

    Args:
        turns: what it is a part of.
        is_of_many: whether many clients have this address: it is that of a trusted proxy.
        is_behind: whether it is that of a client behind one.

    Attributes:
        is_of_many: the same.
        is_behind: the same.
    """

    __slots__ = (
        "_begun", "_begun_at", "_full_at", "_further", "_is_further_next", "_new",
        "_request_at", "_turn", "_turns", "is_behind", "is_of_many",
    )  # fmt: skip

    def __init__(
        self, turns: "Turns", *, is_of_many: bool = False, is_behind: bool = False
    ) -> None:
        super().__init__(turns.requests)
        self.is_of_many = is_of_many
        self.is_behind = is_behind
        self._turns = turns
        self._turn = -1
        self._begun = 0
        self._begun_at = self._request_at = self._full_at = 0.0
        self._new = self._further = _NOTHING
        self._is_further_next = False

    @property
    def is_waiting(self) -> bool:
        """Whether some work of this address waits."""
        return bool(self._new or self._further)

    @property
    def is_one_of_several(self) -> bool:
        """Whether other addresses are active, too, and this one is not that of a proxy."""
        return not self.is_of_many and self._turns.has_several

    def may_begin(self) -> bool:
        """Return whether work may begin now, and count it; else it must wait."""
        return not self._new and self._take()

    def wait(self, begin: Begin, *, is_further: bool = False) -> None:
        """Call `begin` in a later turn.

        Args:
            begin: the work.
            is_further: whether its client has sent it before it had read the answer to its last
                request. One of these begins in a turn.
        """
        if not self.is_waiting:
            self._turns.wait(self)
        if is_further:
            self._further = self._further or deque()
            self._further.append(begin)
        else:
            self._new = self._new or deque()
            self._new.append(begin)

    def take_waiting(self) -> Begin | None:
        """Take out what begins next in this turn; return None if there is no room for it."""
        is_first = self._turn != self._turns.number or not self._begun
        if not (is_first or self._new) or not self._take():
            return None
        is_further = is_first and bool(self._further) and (self._is_further_next or not self._new)
        if is_first:
            self._is_further_next = not is_further
        return (self._further if is_further else self._new).popleft()

    def begin_request(self, request: UnderWay) -> float:
        """Count a request that begins with the piece of work that began last."""
        self._request_at = self._begun_at
        return super().begin_request(request)

    def goes_on_in(self) -> float:
        """Return in how many seconds to try again with the next piece of work; 0 for now."""
        if self.is_of_many:
            return 0.0
        now = self._turns.now()
        if self._is_computing(now):
            return self._request_at + COMPUTES - now
        if not self.has_others_under_way:
            return 0.0
        return BESIDE_OTHERS.next_at(self._full_at) - now

    def _take(self) -> bool:
        """Count a piece of work that begins in this turn, if there is room for it."""
        turns = self._turns
        if self._turn != turns.number:
            self._turn, self._begun = turns.number, 0
        at_most = turns.each_at_most(self)
        if self._begun >= at_most:
            return False
        now = turns.now()
        full_at = BESIDE_OTHERS.take(self._full_at, now)
        if not self.is_of_many:
            if full_at is None and self.has_others_under_way:
                return False
            if at_most == 1 and self._is_computing(now):
                return False
        if not turns.take():
            return False
        self._begun_at = now
        self._full_at = full_at or self._full_at
        self._begun += 1
        return True

    def _is_computing(self, now: float) -> bool:
        """Return whether the latest request began so lately that it may not wait for anything."""
        return self.latest is not None and now < self._request_at + COMPUTES


class Turns:
    """Counts what begins in a turn of the loop, and keeps what waits for a later one.

    Args:
        loop: whose turns they are.

    Attributes:
        number: of the current turn, among those in which something began.
        requests: those that are under way, of all addresses.
        now: the clock of `BESIDE_OTHERS`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._shares: WeakValueDictionary[str, Share] = WeakValueDictionary()
        self._waiting: deque[Share] = deque()
        self._begun = 0
        self._is_counting = False
        self._pause: asyncio.TimerHandle | None = None
        self._latest: Share | None = None
        self._several_until = 0
        self._several_for = -math.inf
        self.number = 0
        self.requests = RequestsUnderWay(loop, self._end_pause)
        self.now = time_of_work

    def share_of(self, address: str, *, is_of_many: bool = False, is_behind: bool = False) -> Share:
        """Return the share of an address; all addresses of one client have the same.

        Args:
            address: of a peer, or of a client that a trusted proxy names.
            is_of_many: whether many clients have this address.
            is_behind: whether a proxy names it.
        """
        network = network_of(address)
        share = self._shares.get(network)
        if share is None:
            share = Share(self, is_of_many=is_of_many, is_behind=is_behind)
            self._shares[network] = share
        return share

    def each_at_most(self, share: Share) -> int:
        """Return how much may begin in this turn for one address, now that `share` has work."""
        latest = self._latest
        if share is not latest and not (latest and share.is_of_many and latest.is_behind):
            is_same = latest is None or (share.is_behind and latest.is_of_many)
            if not is_same:
                self._several_until = self.number + REMEMBERED
                self._several_for = self.requests.now() + REMEMBERED_SECONDS
            self._latest = share
        return 1 if share.is_one_of_several else BEGIN_AT_MOST

    @property
    def has_several(self) -> bool:
        """Whether several addresses were active lately."""
        return self.number < self._several_until or self.requests.now() < self._several_for

    def expect_others(self) -> None:
        """Take nobody for alone in this turn and the next: more connections wait to be accepted."""
        self._several_until = max(self._several_until, self.number + 2)

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
        self._is_counting = False  # only now: what begins comes before the next turn is shared
        if self._begun or self._waiting:
            self._count()
        elif later:
            self._go_on(min(share.goes_on_in() for share in later))
        self._waiting.extend(later)

    def _go_on(self, wait: float) -> None:
        """Begin what is left in the next turn, or try again when the first of it may begin."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if wait <= 0:
            self._count()
        else:
            self._pause = self._loop.call_later(max(wait, SHORTEST), self._end_pause)

    def _end_pause(self) -> None:
        """Begin what waits for a request that has ended, or for its time."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
            self._count()
