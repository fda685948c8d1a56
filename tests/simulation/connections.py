"""The connections of a node to its store, dropped by the same `MasterLink` as the real ones.

What the link decides is the real code: which connections are too old, what a new one has found,
which errors say that a server is no master. Here are only the places from which `_Checked` and
`_Pool` of server/store/checked_connections.py call it. That those do the same on a real Valkey is
shown by tests/unit/store/test_master.py and tests/integration/test_demoted_master.py.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from redis.exceptions import RedisError

from server.store.master import MasterLink
from tests.simulation.servers import Server


class NodeLink(MasterLink):
    """The connections of a node.

    Attributes:
        arrivals: when it first led to each server, by the server's history.
    """

    def __init__(self, kept_for: timedelta, monotonic: Callable[[], float]) -> None:
        super().__init__(kept_for=kept_for, monotonic=monotonic)
        self.arrivals: dict[str, float] = {}

    async def arrived(self, connection: Any, told: bytes) -> None:
        """See `MasterLink`."""
        await super().arrived(connection, told)
        self.arrivals.setdefault(self._history, self.monotonic())


class Connection:
    """A connection that a pool keeps."""

    def __init__(self, link: MasterLink) -> None:
        self._link = link
        self._must_reconnect = self._is_abandoned = False
        self._opened_at = 0.0
        self.server: Server | None = None

    def leads_to(self) -> Server | None:
        """Return where the next command goes; None if it needs a new connection."""
        if self.server is not None and self._link.is_too_old(self._opened_at):
            self.disconnect()
        return self.server

    async def open(self, server: Server) -> None:
        """Connect, and make sure that the server is a master.

        Raises:
            ReadOnlyError: it is a replica.
        """
        if self._is_abandoned:  # nobody is there who would send the command behind the greeting
            await asyncio.Event().wait()
        self._opened_at = self._link.monotonic()
        await self._link.arrived(cast("Any", self), server.told)
        self.server = server

    async def failed(self, error: RedisError) -> None:
        """Take note of an error in place of an answer."""
        await self._link.failed(cast("Any", self), error)

    async def refused(self, error: Exception) -> None:
        """Take note of an error, unless it was there before any command was sent."""
        if self.server is not None and isinstance(error, RedisError):
            await self.failed(error)

    def abandon(self) -> None:
        """Close for good, whatever is still under way."""
        self._is_abandoned = True
        self.server = None

    def disconnect(self) -> None:
        """Close. The next command connects anew."""
        self._must_reconnect, self.server = False, None

    def mark_for_reconnect(self) -> None:
        """Let it be closed when its command is done."""
        self._must_reconnect = True

    def reset_should_reconnect(self) -> None:
        """Keep it after all."""
        self._must_reconnect = False

    def finish(self) -> None:
        """Close it if it was marked."""
        if self._must_reconnect:
            self.disconnect()


class ConnectionPool:
    """Connections that are used again, the latest first."""

    def __init__(self, link: MasterLink) -> None:
        self._link = link
        self._free: list[Connection] = []
        self._in_use: dict[Connection, None] = {}
        link._pools.append(cast("Any", self))

    def take(self) -> Connection:
        """Return a connection for one command."""
        found = self._free.pop() if self._free else Connection(self._link)
        self._in_use[found] = None
        return found

    def release(self, connection: Connection) -> None:
        """Take a connection back whose command was answered."""
        del self._in_use[connection]
        connection.finish()
        self._free.append(connection)

    def throw_away(self, connection: Connection) -> None:
        """Close a connection whose command was not answered."""
        del self._in_use[connection]
        connection.abandon()

    def mark_used(self) -> None:
        """See `_Pool`."""
        for each in self._in_use:
            each.mark_for_reconnect()

    async def close_idle(self) -> None:
        """See `_Pool`."""
        self.disconnect_idle()

    def disconnect_idle(self) -> None:
        """Close the connections that are idle."""
        for each in self._free:
            each.disconnect()
