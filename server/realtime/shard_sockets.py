"""The sockets on this node of one shard's sessions: what a fence holds, a reconciler compares."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from server.core.reasons import NoSession
from server.core.token import shard_of_sid
from server.realtime.hub import Connection, Hub, SessionSockets


class LocalSockets(Protocol):
    """Sockets on this node: all of them, as a `Hub` has them, or those of one shard."""

    def sessions(self) -> Iterator[SessionSockets]:
        """Return the sessions with sockets here. They may change while one iterates."""

    def close_sessions(self, sids: Iterable[str], no_session: NoSession) -> int:
        """Close all sockets of sessions that ended; return how many there were."""

    def hold(self) -> None:
        """Hold the sockets."""

    def resume(self) -> None:
        """Let the sockets go on."""

    def close_unverified(self) -> None:
        """Close the sockets without a reason."""


class ShardSockets:
    """Implements `LocalSockets` for one shard.

    Args:
        hub: the sockets on this node.
        shard: the shard.
    """

    def __init__(self, hub: Hub, shard: int) -> None:
        self._hub = hub
        self._shard = shard

    def sessions(self) -> Iterator[SessionSockets]:
        """See `LocalSockets`."""
        return (each for each in self._hub.sessions() if shard_of_sid(each.sid) == self._shard)

    def close_sessions(self, sids: Iterable[str], no_session: NoSession) -> int:
        """See `LocalSockets`."""
        return self._hub.close_sessions(sids, no_session)

    def hold(self) -> None:
        """See `LocalSockets`."""
        for connection in self._connections():
            connection.hold()

    def resume(self) -> None:
        """See `LocalSockets`."""
        for connection in self._connections():
            connection.resume()

    def close_unverified(self) -> None:
        """See `LocalSockets`."""
        for connection in self._connections():
            connection.close_unverified()

    def _connections(self) -> list[Connection]:
        return [each for sockets in self.sessions() for each in sockets.connections.values()]
