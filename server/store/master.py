"""The connections of this process to its store, all of which must lead to one master that serves.

A balancer, a change of DNS or a failover moves new connections only. Whoever is connected stays on
the old master, which may live on as a replica: it refuses every write for ever, and its streams may
be behind. So every connection asks at its beginning where it leads, and every answer is looked at.
As soon as one of them says that this is not, or not any more, the master that serves, all
connections are dropped, and the next commands connect anew.
"""

import builtins
import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 likewise
)

from server.core.counts import StoreCounts
from server.core.store_url import Place
from server.store.information import MASTER, history_in, role_in

REFUSALS: Final = frozenset(
    {
        *("READONLY", "MASTERDOWN", "UNBLOCKED"),  # a replica; it has just become one
        *("LOADING", "MISCONF", "NOREPLICAS"),  # a master that must not or cannot write now
        *("CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN"),  # a member of a cluster without the key
    }
)
"""The first words of errors by which a server says that it is not a master that serves. Another
connection may lead to another server."""
REDIRECTIONS: Final = frozenset({"MOVED", "ASK", "TRYAGAIN"})
"""Those that are about one part of the keys. In a cluster, the server may still serve others."""
KEPT_FOR: Final = timedelta(minutes=1)
"""The age at which a connection is opened anew before its next command. So a server that was left,
and still takes itself for a master, is left here too: it never says so."""
SETTLED_AFTER: Final = timedelta(milliseconds=100)
"""The least time between two drops. The connections that were opened in between were checked then,
and a server that refuses every write for long must not cost each of them a new connection."""


class MasterUnknown(ConnectionError):
    """Nobody vouches for a master: there is none to connect to, or what was sent went to no master.

    Args:
        found: what was found, for people.
        needed: what to do about it, as a sentence.
        is_for_ever: whether waiting cannot mend it.
        has_moved: whether another server is the master, so that a new try leads to it.
    """

    def __init__(
        self, found: str, needed: str, *, is_for_ever: bool = False, has_moved: bool = False
    ) -> None:
        super().__init__(found)
        self.found = found
        self.needed = needed
        self.is_for_ever = is_for_ever
        self.has_moved = has_moved


class MasterFinder(Protocol):
    """Knows which server is the master, as others see it.

    Attributes:
        place: where the master is; None if it is not known yet.
        vouched_at: a moment, in seconds of the monotonic clock, at which that was still so.
    """

    place: Place | None
    vouched_at: float

    async def find(self) -> Place:
        """Return where the master is.

        Raises:
            MasterUnknown: nobody vouches for one.
        """

    async def confirm(self, since: float) -> Place:
        """Return where the master was at some moment after `since`.

        Raises:
            MasterUnknown: nobody vouches for one.
        """

    def doubt(self) -> None:
        """Ask again before the next connection: the place that is known did not serve."""


class Connections(Protocol):
    """Connections that can be let go of while other tasks use them."""

    def mark_used(self) -> None:
        """Let every connection in use be closed when its command is done."""

    async def close_idle(self) -> None:
        """Close the other connections."""


def leads_elsewhere(error: BaseException | None) -> bool:
    """Return whether an error says that the server is not a master that serves."""
    return isinstance(error, RedisError) and (
        isinstance(error, MasterUnknown) or _code_of(error) in REFUSALS
    )


def is_redirection(error: BaseException | None) -> bool:
    """Return whether an error says that a member of a cluster does not have the keys."""
    return isinstance(error, RedisError) and _code_of(error) in REDIRECTIONS


def is_moving(error: BaseException | None) -> bool:
    """Return whether an error says that some keys are just being moved to another server."""
    return isinstance(error, RedisError) and _code_of(error) in {"ASK", "TRYAGAIN"}


def _code_of(error: RedisError) -> str:
    return str(getattr(error, "status_code", None) or str(error).partition(" ")[0])


def failure_of(error: Exception) -> str | None:
    """Return why the store did not do its work, as one of `FAILURES`.

    Other errors are answers like any other: a script that must be loaded, a stream that is not
    there, a question that the user may not ask.
    """
    if isinstance(error, TimeoutError | builtins.TimeoutError):
        return "timeout"
    if leads_elsewhere(error):
        return "not_master"
    if isinstance(error, OutOfMemoryError):
        return "full"
    return "connection" if isinstance(error, ConnectionError | OSError) else None


class MasterLink:
    """Drops all connections of this process to the store together.

    A server's history is a name for its data and all that was ever written to it. A promoted
    replica begins another one, and so does a server that starts again. Therefore, when a new
    connection finds another history, the older connections lead to a server that was left.

    Args:
        kept_for: the age at which a connection is opened anew.
        settled_after: the least time between two drops for refusals.
        monotonic: seconds on a clock that is never set back.
        counts: counts answers and failures.
        finder: knows where the master is; None if the address leads to it.
        in_cluster: whether the master has only some of the keys. Then it can do without some more,
            and its connections stay.
        on_failure: called with each failure.
    """

    def __init__(
        self,
        *,
        counts: StoreCounts | None = None,
        finder: MasterFinder | None = None,
        kept_for: timedelta = KEPT_FOR,
        settled_after: timedelta = SETTLED_AFTER,
        monotonic: Callable[[], float] = time.monotonic,
        in_cluster: bool = False,
        on_failure: Callable[[Exception], object] = lambda _: None,
    ) -> None:
        self.monotonic = monotonic
        self.counts = counts or StoreCounts()
        self._kept_for = kept_for.total_seconds()
        self._settled_after = settled_after.total_seconds()
        self.finder = finder
        self._pools: list[Connections] = []
        self._history = ""
        self._refused_at = float("-inf")
        self._in_cluster = in_cluster
        self._on_failure = on_failure

    def add(self, pool: Connections) -> None:
        """Let the connections of a pool belong to this link."""
        self._pools.append(pool)

    async def find(self) -> Place | None:
        """Return where to connect to; None for where the address leads.

        Raises:
            MasterUnknown: nobody vouches for a master.
        """
        return await self.finder.find() if self.finder else None

    def doubt(self) -> None:
        """Look for the master again before the next connection."""
        if self.finder:
            self.finder.doubt()

    def has_left(self, place: Place | None) -> bool:
        """Return whether the master is known to be somewhere else than a connection leads."""
        return self.finder is not None and place is not self.finder.place

    def vouched_at(self) -> float:
        """Return a moment at which the master was still the master, as far as anybody says it."""
        return self.finder.vouched_at if self.finder else math.inf

    async def confirm(self, place: Place | None) -> None:
        """Make sure that the master still was the master when its last answer had come.

        Args:
            place: where the master was before the question was sent.

        Raises:
            MasterUnknown: what was written may be lost.
        """
        if self.finder and await self.finder.confirm(self.monotonic()) is not place:
            found = "another server has become the master"
            raise MasterUnknown(found, "Try again.", has_moved=True)

    @property
    def place(self) -> Place | None:
        """Where the master is, if others know it."""
        return self.finder.place if self.finder else None

    def is_too_old(self, opened_at: float) -> bool:
        """Return whether a connection that was opened then is opened anew before its next use."""
        return self.monotonic() - opened_at > self._kept_for

    async def arrived(self, connection: AbstractConnection, told: bytes) -> None:
        """Take note of what a new connection leads to.

        Args:
            connection: it may be used at once, and is not dropped.
            told: what its server answered to `INFO replication`; empty if it does not tell.

        Raises:
            ReadOnlyError: the server is a replica.
        """
        role, history = role_in(told), history_in(told)
        if role and role != MASTER:
            raise ReadOnlyError(f"the server's role is {role}", status_code="READONLY")
        former, self._history = self._history, history or self._history
        if former and former != self._history:
            await self.drop()
            connection.reset_should_reconnect()  # type: ignore[no-untyped-call]

    async def failed(self, connection: AbstractConnection, error: RedisError) -> None:
        """Take note of an error in place of an answer.

        Args:
            connection: which got it. Another one takes its place if this is no master that serves.
            error: the error.
        """
        if why := failure_of(error):
            self.counts.failed(why)
            self._on_failure(error)
        if isinstance(error, TimeoutError):
            self.doubt()
            await self.close_idle()
        elif leads_elsewhere(error) and not (self._in_cluster and is_redirection(error)):
            connection.mark_for_reconnect()  # type: ignore[no-untyped-call]
            await self._refused()

    async def _refused(self) -> None:
        """Drop all connections, because a server said that it is no master that serves."""
        now = self.monotonic()
        if now - self._refused_at > self._settled_after:
            self._refused_at = now
            await self.drop()

    async def drop(self) -> None:
        """Close the connections that are idle, and the others as soon as their command is done."""
        for pool in self._pools:
            pool.mark_used()
            await pool.close_idle()

    def not_reached(self, error: Exception) -> None:
        """Take note of a connection that could not be opened."""
        if not isinstance(error, ReadOnlyError):  # counted as an answer
            self.counts.failed(failure_of(error) or "refused")
        self.doubt()
        self._on_failure(error)

    async def close_idle(self) -> None:
        """Close the connections that are idle: a server fell silent, and they may lead to it."""
        for pool in self._pools:
            await pool.close_idle()
