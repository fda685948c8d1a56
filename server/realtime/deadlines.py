"""Warns and closes the sockets of sessions that expire, by timers and without messages.

Each timer reads the session again before it acts: another node may have recorded activity.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from server.core import messages
from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession
from server.core.session import Deadlines, Session, deadlines, warning_time
from server.realtime.hub import Hub, SessionSockets
from server.sessions.manager import SessionManager

RETRY_AFTER: Final = 0.5
"""Seconds between two checks while the store does not answer."""


class DeadlineTimers:
    """One timer for each session with sockets on this node.

    Args:
        hub: the sockets on this node.
        sessions: reads a session, and ends it if it has expired.
        now: the store's clock, in Unix seconds.
    """

    def __init__(self, hub: Hub, sessions: SessionManager, now: Callable[[], float]) -> None:
        self._hub = hub
        self._sessions = sessions
        self._now = now
        self._warning = warning_time(sessions.rules).total_seconds()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._warned: dict[str, Deadlines] = {}
        self._checks: set[asyncio.Task[None]] = set()

    def watch(self, session: Session) -> str | None:
        """Watch the deadlines of a session that has one more socket here.

        Returns:
            The warning that the session's other sockets have received, if it still applies.
        """
        until = self._deadlines(session)
        if session.sid not in self._timers:
            self._arm(session.sid, until.expires_at - self._warning)
        return self._expiring(until) if self._warned.get(session.sid) == until else None

    def sockets_changed(self, sockets: SessionSockets) -> None:
        """Stop watching a session that has no socket here any more."""
        if not sockets.connections:
            self._forget(sockets.sid)

    def check_again(self, sid: str) -> None:
        """Check a session whose deadline may have moved, and inform its sockets."""
        if sid in self._timers:
            self._start_check(sid)

    def close(self) -> None:
        """Cancel all timers."""
        for sid in list(self._timers):
            self._forget(sid)

    def _forget(self, sid: str) -> None:
        self._warned.pop(sid, None)
        if timer := self._timers.pop(sid, None):
            timer.cancel()

    def _arm(self, sid: str, at: float) -> None:
        if timer := self._timers.get(sid):
            timer.cancel()
        loop = asyncio.get_running_loop()
        delay = max(0.0, at - self._now())
        self._timers[sid] = loop.call_later(delay, self._start_check, sid)

    def _start_check(self, sid: str) -> None:
        task = asyncio.create_task(self._check(sid))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check(self, sid: str) -> None:
        try:
            session = await self._sessions.current(sid)
        except StoreUnavailable:
            self._arm_if_here(sid, self._now() + RETRY_AFTER)
            return
        if isinstance(session, NoSession):
            self._hub.close_sessions([sid], session)
        else:
            self._inform(sid, self._deadlines(session))

    def _inform(self, sid: str, until: Deadlines) -> None:
        """Send what is new about the deadlines, and set the timer for the next step."""
        if until.expires_at - self._now() > self._warning:
            if self._warned.pop(sid, None):
                self._hub.send_to_session(sid, messages.extended(until))
            self._arm_if_here(sid, until.expires_at - self._warning)
            return
        if self._warned.get(sid) != until:
            self._warned[sid] = until
            self._hub.send_to_session(sid, self._expiring(until))
        self._arm_if_here(sid, until.expires_at)

    def _expiring(self, until: Deadlines) -> str:
        in_ms = max(0, int((until.expires_at - self._now()) * 1000))
        return messages.expiring(until.next_reason, in_ms)

    def _arm_if_here(self, sid: str, at: float) -> None:
        if sid in self._hub:
            self._arm(sid, at)

    def _deadlines(self, session: Session) -> Deadlines:
        return deadlines(session, self._sessions.rules)
