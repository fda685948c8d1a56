"""The sockets of this process, by session and by user. Knows neither Tornado nor the store."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from server.core.durations import milliseconds
from server.core.reasons import NoSession
from server.core.room_frames import SharedFrame
from server.core.rooms import Member
from server.core.session import Session

CLOSE_AT_ONCE: Final = 100
"""Sockets that are closed before others have their turn: each takes 20 us, twice that under TLS."""


class Connection(Protocol):
    """One open socket, as the hub sees it.

    Attributes:
        id: the public name of the socket; no credential.
    """

    id: str

    @property
    def is_up(self) -> bool:
        """Whether the socket is open for frames: after `hello`, and until its session ends."""

    @property
    def member(self) -> Member:
        """The session that the socket belongs to, as rooms know it."""

    def send(self, frame: str) -> None:
        """Queue a frame. Never blocks and never raises."""

    def send_shared(self, frame: SharedFrame) -> None:
        """Send a frame that other sockets get too, without waiting if nothing waits."""

    def drop_topic(self, topic: str) -> None:
        """Drop what is queued of a room."""

    def close_ended(self, no_session: NoSession) -> None:
        """Drop what is queued, send the reason, close. Nothing is sent or processed afterwards."""

    def hold(self) -> None:
        """Send `hold`; then send and process nothing until `resume`."""

    def resume(self) -> None:
        """Send `resume`, and go on with what is queued."""

    def close_unverified(self) -> None:
        """Close without a reason: the client comes back and keeps its page."""

    def drain(self, reconnect_in_ms: int) -> None:
        """Send the time after which to come back, and close: this node stops."""


@dataclass(eq=False, slots=True)
class SessionSockets:
    """A session with its sockets on this node."""

    sid: str
    user: str | None
    epoch: str
    created_at: float
    connections: dict[str, Connection] = field(default_factory=dict)


Observer = Callable[[SessionSockets], None]
"""Called with a session whose number of sockets changed. It must not raise."""


class Hub:
    """Registers sockets and sends to them."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []
        self._sessions: dict[str, SessionSockets] = {}
        self._users: dict[str, set[SessionSockets]] = {}

    def subscribe(self, observer: Observer) -> None:
        """Call `observer` after each change, behind the observers that subscribed before."""
        self._observers.append(observer)

    def register(self, connection: Connection, session: Session) -> None:
        """Add a socket. From here on it receives everything that concerns its session."""
        sockets = self._sessions.get(session.sid)
        if sockets is None:
            sockets = SessionSockets(session.sid, session.user, session.epoch, session.created_at)
            self._sessions[session.sid] = sockets
            if sockets.user is not None:
                self._users.setdefault(sockets.user, set()).add(sockets)
        sockets.connections[connection.id] = connection
        self._notify(sockets)

    def unregister(self, connection: Connection, sid: str) -> None:
        """Remove a socket that closed. Nothing happens if its session ended before."""
        sockets = self._sessions.get(sid)
        if sockets is None or sockets.connections.pop(connection.id, None) is None:
            return
        if not sockets.connections:
            self._remove(sockets)
        self._notify(sockets)

    def sessions(self) -> Iterator[SessionSockets]:
        """Return all sessions with sockets on this node. The hub may change while one iterates."""
        yield from list(self._sessions.values())

    def sessions_of(self, user: str) -> list[SessionSockets]:
        """Return the user's sessions with sockets on this node."""
        return list(self._users.get(user, ()))

    def find(self, sids: Iterable[str]) -> list[SessionSockets]:
        """Return the given sessions with sockets on this node."""
        return [self._sessions[sid] for sid in sids if sid in self]

    def __contains__(self, sid: object) -> bool:
        """Return whether the session has sockets on this node."""
        return sid in self._sessions

    @property
    def session_count(self) -> int:
        """How many sessions have sockets on this node."""
        return len(self._sessions)

    @property
    def socket_count(self) -> int:
        """How many sockets there are on this node."""
        return sum(len(sockets.connections) for sockets in self._sessions.values())

    def sockets_of_session(self, sid: str) -> int:
        """Return how many sockets the session has on this node."""
        sockets = self._sessions.get(sid)
        return len(sockets.connections) if sockets else 0

    def sockets_of_user(self, user: str) -> int:
        """Return how many sockets all sessions of the user have on this node."""
        return sum(len(sockets.connections) for sockets in self._users.get(user, ()))

    def close_sessions(self, sids: Iterable[str], no_session: NoSession) -> int:
        """Close all sockets of sessions that ended; return how many there were."""
        return sum(self._close(self._sessions[sid], no_session) for sid in sids if sid in self)

    async def close_many(self, sids: Iterable[str], no_session: NoSession) -> int:
        """Close all sockets of many sessions that ended; return how many there were.

        After `CLOSE_AT_ONCE` sockets, others have their turn. If this is interrupted, the sessions
        that are left stay registered: call it again.
        """
        closed = in_turn = 0
        for sid in sids:
            in_turn += self.close_sessions([sid], no_session)
            if in_turn >= CLOSE_AT_ONCE:
                closed, in_turn = closed + in_turn, 0
                await asyncio.sleep(0)
        return closed + in_turn

    def send_to_session(self, sid: str, frame: str) -> None:
        """Queue a frame for every socket of the session."""
        if sockets := self._sessions.get(sid):
            _send(sockets.connections.values(), frame)

    def send_to_user(self, user: str, frame: str, *, but: str = "") -> None:
        """Queue a frame for every socket of the user, except the one with the id `but`."""
        for sockets in self._users.get(user, ()):
            _send((each for each in sockets.connections.values() if each.id != but), frame)

    def share_with_user(self, user: str, frame: SharedFrame, *, but: str = "") -> int:
        """Send a frame to every socket of the user, except the one with the id `but`.

        Returns:
            how many there are.
        """
        sent = 0
        for sockets in list(self._users.get(user, ())):
            for connection in list(sockets.connections.values()):
                if connection.id != but:
                    connection.send_shared(frame)
                    sent += 1
        return sent

    def hold(self) -> None:
        """Hold all sockets."""
        for connection in self._connections():
            connection.hold()

    def resume(self) -> None:
        """Let all sockets go on."""
        for connection in self._connections():
            connection.resume()

    def close_unverified(self) -> None:
        """Close all sockets without a reason."""
        for connection in self._connections():
            connection.close_unverified()

    def drain(
        self, window: timedelta, spread: Callable[[], float], most: int | None = None
    ) -> bool:
        """Close sockets, give each client its own time to come back; return whether some are left.

        Args:
            window: the time over which all of them come back.
            spread: returns a random number in [0, 1).
            most: how many to close; None for all.
        """
        connections = self._connections()
        for connection in connections[:most]:
            connection.drain(int(spread() * milliseconds(window)))
        return most is not None and len(connections) > most

    def _connections(self) -> list[Connection]:
        return [each for sockets in self.sessions() for each in sockets.connections.values()]

    def _close(self, sockets: SessionSockets, no_session: NoSession) -> int:
        self._remove(sockets)
        closing = list(sockets.connections.values())
        sockets.connections.clear()
        for connection in closing:
            connection.close_ended(no_session)
        self._notify(sockets)
        return len(closing)

    def _remove(self, sockets: SessionSockets) -> None:
        del self._sessions[sockets.sid]
        if sockets.user is not None:
            others = self._users[sockets.user]
            others.discard(sockets)
            if not others:
                del self._users[sockets.user]

    def _notify(self, sockets: SessionSockets) -> None:
        for observer in self._observers:
            observer(sockets)


def _send(connections: Iterable[Connection], frame: str) -> None:
    for connection in list(connections):
        connection.send(frame)
