"""Keeps the deadlines of sessions with sockets here, by timers and not by messages.

Each timer looks at the session again before it acts: another node may have seen activity.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from server.core import messages
from server.core.errors import StoreUnavailable
from server.core.reasons import NoSession
from server.core.session import Deadlines, Rules, Session, deadlines, warning_time
from server.realtime.hub import Hub

log = logging.getLogger("curfew.deadlines")

RETRY_AFTER: Final = 0.5
"""Seconds between looks while the store does not answer."""


CurrentSession = Callable[[str], Awaitable[Session | NoSession]]
"""Answers the live session of an id, or what is to be told of it."""


class DeadlineTimers:
    """One timer per session with sockets here.

    Args:
        hub: the sockets here.
        rules: the durations in force.
        now: the store's clock, in Unix seconds.
        current: the session as the store has it, ended first when it is past a deadline.
    """

    def __init__(
        self,
        hub: Hub,
        rules: Rules,
        now: Callable[[], float],
        current: CurrentSession,
    ) -> None:
        self._hub = hub
        self._rules = rules
        self._now = now
        self._current = current
        self._warning = warning_time(rules).total_seconds()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._warned: dict[str, Deadlines] = {}
        self._checks: set[asyncio.Task[None]] = set()

    def watch(self, session: Session) -> str | None:
        """Keep the deadlines of a session that has one more socket here.

        Returns:
            The warning that the others have had and this one has not, if it still stands.
        """
        until = deadlines(session, self._rules)
        if session.sid not in self._timers:
            self._arm(session.sid, until.expires_at - self._warning)
        return self._expiring(until) if self._warned.get(session.sid) == until else None

    def forget(self, sid: str) -> None:
        """Stop: the session has no socket here any more."""
        self._warned.pop(sid, None)
        if timer := self._timers.pop(sid, None):
            timer.cancel()

    def check_again(self, sid: str) -> None:
        """A deadline may have moved; sockets that were warned are told."""
        if sid in self._timers:
            self._fire(sid)

    def close(self) -> None:
        """Drop all timers."""
        for sid in list(self._timers):
            self.forget(sid)

    def _arm(self, sid: str, at: float) -> None:
        if timer := self._timers.get(sid):
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[sid] = loop.call_later(max(0.0, at - self._now()), self._fire, sid)

    def _fire(self, sid: str) -> None:
        task = asyncio.create_task(self._check(sid))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check(self, sid: str) -> None:
        try:
            session = await self._current(sid)
        except StoreUnavailable:
            self._arm_if_here(sid, self._now() + RETRY_AFTER)
            return
        if isinstance(session, NoSession):
            self._hub.end([sid], session)
        else:
            self._tell(sid, deadlines(session, self._rules))

    def _tell(self, sid: str, until: Deadlines) -> None:
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
