"""Counts the requests that are being handled, of each address and of all.

A connection that opens counts like a request, for a shorter time: its first request comes next.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

COUNTS: Final = 0.1
"""Seconds for which a request counts. One that takes longer waits for something else, such as the
hash of a password, or news; it must not slow everybody down."""
OPENING_COUNTS: Final = 0.01
"""Seconds for which a connection counts that opens. Its first request has mostly come with it."""


class RequestsUnderWay:
    """Those of all addresses.

    Args:
        loop: whose clock counts.
        on_end: called when one ends.

    Attributes:
        now: the loop's clock.
        number: how many there are.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
        self.now = loop.time
        self.number = 0
        self._on_end = on_end
        self._begun: dict[float, deque[tuple[float, UnderWay]]] = {
            COUNTS: deque(),
            OPENING_COUNTS: deque(),
        }

    def begin(self, request: "UnderWay", counts: float) -> float:
        """Count a request that begins, for so many seconds at most; return the time."""
        now = self.now()
        self.forget_long(now)
        self.number += 1
        self._begun[counts].append((now, request))
        return now

    def end(self) -> None:
        """Stop counting a request."""
        self.number -= 1
        self._on_end()

    def forget_long(self, now: float) -> None:
        """Stop counting those that have been under way for long."""
        for counts, begun in self._begun.items():
            while begun and begun[0][0] < now - counts:
                since, request = begun.popleft()
                if (request.since, request.counts) == (since, counts):
                    request.end()


class RequestsOfAddress:
    """An address whose requests are counted.

    Args:
        requests: those of all addresses.

    Attributes:
        under_way: how many are its own.
        latest: the one that began last, as long as it is under way.
    """

    __slots__ = ("__weakref__", "_requests", "latest", "under_way")

    def __init__(self, requests: RequestsUnderWay) -> None:
        self.under_way = 0
        self.latest: UnderWay | None = None
        self._requests = requests

    @property
    def has_others_under_way(self) -> bool:
        """Whether requests of other addresses are under way."""
        if self._requests.number > self.under_way:
            self._requests.forget_long(self._requests.now())
        return self._requests.number > self.under_way

    def begin_request(self, request: "UnderWay") -> float:
        """Count a request that begins; return the time."""
        self.under_way += 1
        self.latest = request
        return self._requests.begin(request, COUNTS)

    def begin_opening(self, request: "UnderWay") -> float:
        """Count a connection that opens, until its first request begins; return the time."""
        self.under_way += 1
        return self._requests.begin(request, OPENING_COUNTS)

    def end_request(self, request: "UnderWay") -> None:
        """Stop counting a request."""
        self.under_way -= 1
        if self.latest is request:
            self.latest = None
        self._requests.end()


class UnderWay:
    """The request that a connection has under way, if any.

    Args:
        address: the peer's.

    Attributes:
        since: when it began, by the loop's clock.
        counts: for how many seconds at most. A request may begin when its connection opens.
    """

    __slots__ = ("_address", "_is_counted", "counts", "since")

    def __init__(self, address: RequestsOfAddress) -> None:
        self._address = address
        self._is_counted = False
        self.since, self.counts = 0.0, COUNTS

    def open(self) -> None:
        """Count the connection, which opens."""
        self._is_counted, self.counts = True, OPENING_COUNTS
        self.since = self._address.begin_opening(self)

    def begin(self) -> None:
        """Count it."""
        self.end()  # the opening
        self._is_counted, self.counts = True, COUNTS
        self.since = self._address.begin_request(self)

    def end(self) -> None:
        """Stop counting it: it is answered, or nobody waits for the answer."""
        if self._is_counted:
            self._is_counted = False
            self._address.end_request(self)
