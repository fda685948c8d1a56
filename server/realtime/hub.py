"""The sockets of this process, by session and by user. Knows neither Tornado nor the store."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from server.core.durations import milliseconds
from server.core.reasons import NoSession
from server.core.session import Session


class Connection(Protocol):
    """One open socket, as the hub sees it.

    Attributes:
        id: names the socket to others; no credential.
    """

    id: str

    def send(self, frame: str) -> None:
        """Queue a frame; never blocks, never raises."""

    def end(self, no_session: NoSession) -> None:
        """Drop what is queued, say why, close. Nothing is sent or processed afterwards."""

    def hold(self) -> None:
        """Say `hold`; then send and process nothing until `resume`."""

    def resume(self) -> None:
        """Say `resume` and go on with what is queued."""

    def close_unverified(self) -> None:
        """Close without a verdict: the client comes back and keeps its page."""

    def drain(self, reconnect_in_ms: int) -> None:
        """Say when to come back, and close: this node stops."""


@dataclass(eq=False, slots=True)
class SessionSockets:
    """A session that has sockets here."""

    sid: str
    user: str | None
    epoch: str
    created_at: float
    connections: dict[str, Connection] = field(default_factory=dict)


class Hub:
    """Registers sockets and reaches them.

    Args:
        on_change: told of a session whose number of sockets here changed.
    """

    def __init__(self, on_change: Callable[[SessionSockets], None]) -> None:
        self._on_change = on_change
        self._sessions: dict[str, SessionSockets] = {}
        self._users: dict[str, set[SessionSockets]] = {}

    def register(self, connection: Connection, session: Session) -> None:
        """From here on the socket hears of everything that happens to its session."""
        live = self._sessions.get(session.sid)
        if live is None:
            live = SessionSockets(session.sid, session.user, session.epoch, session.created_at)
            self._sessions[session.sid] = live
            if live.user is not None:
                self._users.setdefault(live.user, set()).add(live)
        live.connections[connection.id] = connection
        self._on_change(live)

    def unregister(self, connection: Connection, sid: str) -> None:
        """Forget a socket that closed; harmless when its session ended before."""
        live = self._sessions.get(sid)
        if live is None or live.connections.pop(connection.id, None) is None:
            return
        if not live.connections:
            self._forget(live)
        self._on_change(live)

    def sessions(self) -> Iterator[SessionSockets]:
        """All sessions with sockets here; safe against changes while it is read."""
        yield from list(self._sessions.values())

    def sessions_of(self, user: str) -> list[SessionSockets]:
        """The user's sessions with sockets here."""
        return list(self._users.get(user, ()))

    def find(self, sids: Iterable[str]) -> list[SessionSockets]:
        """Those of these sessions that have sockets here."""
        return [self._sessions[sid] for sid in sids if sid in self]

    def sockets_of_session(self, sid: str) -> int:
        """How many sockets the session has here."""
        live = self._sessions.get(sid)
        return len(live.connections) if live else 0

    def sockets_of_user(self, user: str) -> int:
        """How many sockets all sessions of the user have here."""
        return sum(len(live.connections) for live in self._users.get(user, ()))

    def __contains__(self, sid: object) -> bool:
        """Whether the session has sockets here."""
        return sid in self._sessions

    def end(self, sids: Iterable[str], no_session: NoSession) -> int:
        """Close all sockets of these sessions; how many that were."""
        return sum(self._end(self._sessions[sid], no_session) for sid in sids if sid in self)

    def send_to_session(self, sid: str, frame: str) -> None:
        """Queue a frame for every socket of the session."""
        if live := self._sessions.get(sid):
            _send(live.connections.values(), frame)

    def send_to_user(self, user: str, frame: str, *, but: str = "") -> None:
        """Queue a frame for every socket of the user, save the one with the id `but`."""
        for live in self._users.get(user, ()):
            _send((each for each in live.connections.values() if each.id != but), frame)

    def hold(self) -> None:
        """Hold all sockets."""
        for connection in self._connections():
            connection.hold()

    def resume(self) -> None:
        """Let all sockets go on."""
        for connection in self._connections():
            connection.resume()

    def close_unverified(self) -> None:
        """Close all sockets without a verdict."""
        for connection in self._connections():
            connection.close_unverified()

    def drain(self, window: timedelta, spread: Callable[[], float]) -> None:
        """Close all sockets, each with a moment of its own to come back in.

        Args:
            window: over which they come back.
            spread: a random number of [0, 1).
        """
        for connection in self._connections():
            connection.drain(int(spread() * milliseconds(window)))

    def _connections(self) -> list[Connection]:
        return [each for live in self.sessions() for each in live.connections.values()]

    def _end(self, live: SessionSockets, no_session: NoSession) -> int:
        self._forget(live)
        closing = list(live.connections.values())
        live.connections.clear()
        for connection in closing:
            connection.end(no_session)
        self._on_change(live)
        return len(closing)

    def _forget(self, live: SessionSockets) -> None:
        del self._sessions[live.sid]
        if live.user is not None:
            others = self._users[live.user]
            others.discard(live)
            if not others:
                del self._users[live.user]


def _send(connections: Iterable[Connection], frame: str) -> None:
    for connection in list(connections):
        connection.send(frame)
