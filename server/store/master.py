"""The connections of this process to its store, all of which must lead to one master that serves.

A balancer, a change of DNS or a failover moves new connections only. Whoever is connected stays on
the old master, which may live on as a replica: it refuses every write for ever, and its streams may
be behind. So every connection asks at its beginning where it leads, and every answer is looked at.
As soon as one of them says that this is not, or not any more, the master that serves, all
connections are dropped, and the next commands connect anew.
"""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection, UnixDomainSocketConnection
from redis.exceptions import (
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004 the client's own
)

REFUSALS: Final = frozenset(
    {
        *("READONLY", "MASTERDOWN", "UNBLOCKED"),  # a replica; it has just become one
        *("LOADING", "MISCONF", "NOREPLICAS"),  # a master that must not or cannot write now
        *("CLUSTERDOWN", "MOVED", "ASK"),  # a member of a cluster without the key
    }
)
"""The first words of errors by which a server says that it is not a master that serves. Another
connection may lead to another server."""
KEPT_FOR: Final = timedelta(minutes=1)
"""The age at which a connection is opened anew before its next command. So a server that was left,
and still takes itself for a master, is left here too: it never says so."""
_ROLE: Final = re.compile(rb"^role:(\S+)", re.MULTILINE)
_HISTORY: Final = re.compile(rb"^master_replid:(\S+)", re.MULTILINE)
MASTER: Final = "master"
NAME: Final = "curfew"
"""The name of each connection in CLIENT LIST."""
SETTLED_AFTER: Final = timedelta(milliseconds=100)
"""The least time between two drops. The connections that were opened in between were checked then,
and a server that refuses every write for long must not cost each of them a new connection."""


def leads_elsewhere(error: BaseException | None) -> bool:
    """Return whether an error says that the server is not a master that serves."""
    if not isinstance(error, RedisError):
        return False
    code = getattr(error, "status_code", None) or str(error).partition(" ")[0]
    return code in REFUSALS


class MasterLink:
    """Drops all connections of this process to the store together.

    A server's history is a name for its data and all that was ever written to it. A promoted
    replica begins another one, and so does a server that starts again. Therefore, when a new
    connection finds another history, the older connections lead to a server that was left.

    Args:
        kept_for: the age at which a connection is opened anew.
        settled_after: the least time between two drops for refusals.
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(
        self,
        *,
        kept_for: timedelta = KEPT_FOR,
        settled_after: timedelta = SETTLED_AFTER,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.monotonic = monotonic
        self._kept_for = kept_for.total_seconds()
        self._settled_after = settled_after.total_seconds()
        self._pools: list[_Pool] = []
        self._history = ""
        self._refused_at = float("-inf")

    def open_pool(self, url: str, **options: Any) -> BlockingConnectionPool:
        """Return a pool whose connections belong to this link.

        Args:
            url: `redis://`, `rediss://` or `unix://`.
            options: as the client library's pool takes them.
        """
        pool = _Pool.from_url(url, link=self, **options)
        pool.connection_class = _CHECKED[pool.connection_class]
        self._pools.append(pool)
        return pool

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
        role, found = _ROLE.search(told), _HISTORY.search(told)
        if role and role[1].decode() != MASTER:
            raise ReadOnlyError(f"the server's role is {role[1].decode()}", status_code="READONLY")
        history = found[1].decode() if found else ""
        former, self._history = self._history, history or self._history
        if former and former != self._history:
            await self._drop()
            connection.reset_should_reconnect()  # type: ignore[no-untyped-call]

    async def failed(self, connection: AbstractConnection, error: RedisError) -> None:
        """Take note of an error in place of an answer.

        Args:
            connection: which got it. Another one takes its place if this is no master that serves.
            error: the error.
        """
        if isinstance(error, TimeoutError):
            await self._close_idle()
        elif leads_elsewhere(error):
            connection.mark_for_reconnect()  # type: ignore[no-untyped-call]
            await self._refused()

    async def _refused(self) -> None:
        """Drop all connections, because a server said that it is no master that serves."""
        now = self.monotonic()
        if now - self._refused_at > self._settled_after:
            self._refused_at = now
            await self._drop()

    async def _drop(self) -> None:
        """Close the connections that are idle, and the others as soon as their command is done."""
        for pool in self._pools:
            pool.mark_used()
            await pool.close_idle()

    async def _close_idle(self) -> None:
        """Close the connections that are idle: a server fell silent, and they may lead to it."""
        for pool in self._pools:
            await pool.close_idle()


class _Pool(BlockingConnectionPool):
    """A pool that can let go of its connections while other tasks use it."""

    def mark_used(self) -> None:
        """Let every connection in use be closed when its command is done."""
        for each in self._get_in_use_connections():
            each.mark_for_reconnect()  # type: ignore[no-untyped-call]

    async def close_idle(self) -> None:
        """Close the other connections, without waiting: another task may take one meanwhile."""
        for each in list(self._get_free_connections()):
            await each.disconnect(nowait=True)


class _Checked(AbstractConnection):
    """Asks its server for its role, and watches its answers.

    Args:
        link: hears of it.
        options: as the client library's connection takes them.
    """

    __slots__ = ()

    def __init__(self, *, link: MasterLink, **options: Any) -> None:
        super().__init__(**options)
        self._link = link
        self._opened_at = 0.0

    async def connect(self) -> None:
        """Connect, unless there is a connection that is not too old. Called before each command."""
        if self.is_connected and self._link.is_too_old(self._opened_at):
            await self.disconnect(nowait=True)
        await super().connect()  # type: ignore[no-untyped-call]

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 theirs
        """Sign in, and make sure that the server is a master.

        Raises:
            ReadOnlyError: it is a replica.
        """
        await super().on_connect_check_health(check_health)
        self._opened_at = self._link.monotonic()
        for words in (("CLIENT", "SETNAME", NAME), ("INFO", "replication")):  # one round trip
            await self.send_command(*words, check_health=check_health)
        await self.read_response()
        try:
            told = bytes(await self.read_response())
        except NoPermissionError:
            told = b""  # whoever may not ask must trust the address
        await self._link.arrived(self, told)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Return the next answer; drop all connections if it says that this is no master."""
        try:
            return await super().read_response(*args, **options)
        except RedisError as error:
            await self._link.failed(self, error)
            raise


class _CheckedTcp(_Checked, Connection):
    __slots__ = ()


class _CheckedTls(_Checked, SSLConnection):
    __slots__ = ()


class _CheckedUnix(_Checked, UnixDomainSocketConnection):
    __slots__ = ()


_CHECKED: Final[dict[type[AbstractConnection], type[AbstractConnection]]] = {
    Connection: _CheckedTcp,
    SSLConnection: _CheckedTls,
    UnixDomainSocketConnection: _CheckedUnix,
}
