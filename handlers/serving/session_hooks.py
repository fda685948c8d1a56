"""Tells an application of sessions: begun and rotated on the node that did it, ended by one node.

Every end is told at least once, and once unless a node dies or a hook fails while it tells. An end
comes by the control stream at once. What no event told of (a session that expired unused, an end
while nobody served) is found by looking at the noted sessions again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from handlers.http.additions import Hooks
from handlers.http.node import Node
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.events import EVERYTHING, SessionsEnded
from server.core.reasons import NoSession
from server.core.session import Session, deadlines
from server.store.session_ledger import CLAIM, PAGE, EndedSession, SessionLedger

log = logging.getLogger("curfew.application")

HOOK_SECONDS: Final = 30.0
"""How long a hook may take: less than a claim lasts."""
LOOK_EVERY: Final = 15.0
"""Seconds between two looks at the sessions that are due."""
LOOK_AT_ALL_EVERY: Final = 600.0
"""Seconds between two looks at all noted sessions, for events that were lost."""
UNREADABLE_SECONDS: Final = 3600.0
"""When to look again at a session whose record does not open."""
ENDED: Final = "session ended"
FAR: Final = 1e11
"""A moment after all others, in Unix seconds."""


class SessionHooks:
    """Implements `SessionObserver`, and follows the ends.

    Args:
        hooks: of the application.
        node: this process.
        ledger: the sessions whose ends were not told.
    """

    def __init__(self, hooks: Hooks, node: Node, ledger: SessionLedger) -> None:
        self._hooks = hooks
        self._node = node
        self._ledger = ledger
        self._look_at_all = asyncio.Event()

    async def about_to_begin(self, session: Session) -> None:
        """Note a session that is about to be written."""
        if self._hooks.ended is not None:
            until = deadlines(session, self._node.services.sessions.rules).expires_at
            await self._ledger.note(_named(session), look_at=until)

    async def not_begun(self, session: Session) -> None:
        """Forget a session that was not written."""
        if self._hooks.ended is not None:
            with suppress(StoreUnavailable):  # it will be looked at, and not be found
                await self._ledger.forget(_named(session))

    def begun(self, session: Session) -> None:
        """Tell of a session that began."""
        if hook := self._hooks.started:
            self._tell("session started", lambda: hook(self._node, session))

    def rotated(self, session: Session) -> None:
        """Tell of a new token."""
        if hook := self._hooks.rotated:
            self._tell("session rotated", lambda: hook(self._node, session))

    def note_end(self, end: SessionsEnded) -> None:
        """Look at the sessions of an end that the control stream told of."""
        if self._hooks.ended is None:
            return
        if end.sids == (EVERYTHING,):
            self._look_at_all.set()
            return
        for sid in end.sids:
            found = EndedSession(sid, end.user)
            self._tell(ENDED, partial(self._look_at_end, found))

    async def run(self) -> None:
        """Look at the sessions that are due, until cancelled; first at all of them."""
        loop = asyncio.get_running_loop()
        all_at = loop.time()
        while True:
            everything = self._look_at_all.is_set() or loop.time() >= all_at
            if everything:
                self._look_at_all.clear()
                all_at = loop.time() + LOOK_AT_ALL_EVERY
            try:
                await self._look_around(FAR if everything else self._node.now())
            except (StoreUnavailable, WriteConflict) as error:
                log.warning("ends of sessions could not be looked for: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._look_at_all.wait()

    async def _look_around(self, until: float) -> None:
        now = self._node.now()
        for shard in self._ledger.shards:
            passed = 0
            while page := await self._ledger.due(shard, until, passed):
                moved = [await self._look(each, is_due=until <= now) for each in page]
                passed += PAGE if until > now else 0
                if len(page) < PAGE or not any(moved):
                    break

    async def _look(self, noted: EndedSession, *, is_due: bool) -> bool:
        """Tell of the end of a session, unless it lives or another node tells.

        Args:
            noted: the session.
            is_due: whether it should have expired. Before that, one of which nothing is known may
                be about to begin.

        Returns:
            Whether there is a new moment to look at it, or no need to.
        """
        sessions = self._node.services.sessions
        found = await sessions.current(noted.sid)
        if isinstance(found, Session):
            await self._ledger.note(noted, look_at=deadlines(found, sessions.rules).expires_at)
            return True
        if found.reason is None and not is_due:
            return False
        if found.reason is None and await sessions.is_unreadable(noted.sid):
            await self._ledger.note(noted, look_at=self._node.now() + UNREADABLE_SECONDS)
            return True
        return await self._tell_end(noted, found)

    async def _tell_end(self, noted: EndedSession, why: NoSession) -> bool:
        hook, retry_at = self._hooks.ended, self._node.now() + CLAIM.total_seconds()
        if hook is None or not await self._ledger.claim(noted, retry_at=retry_at):
            return False
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                await hook(self._node, noted, why.reason)
        except Exception as error:  # noqa: BLE001 an application may raise anything
            self._node.tasks.note_failure(ENDED, error)  # it is told again when the claim is over
        else:
            await self._ledger.forget(noted)
        return True

    async def _look_at_end(self, noted: EndedSession) -> None:
        with suppress(StoreUnavailable, WriteConflict):  # a later look finds it
            await self._look(noted, is_due=False)

    def _tell(self, name: str, act: Callable[[], Awaitable[object]]) -> None:
        async def told() -> None:
            async with asyncio.timeout(2 * HOOK_SECONDS):
                await act()

        with suppress(RuntimeError):  # this process stops; another one looks
            self._node.tasks.start(told(), name)


def _named(session: Session) -> EndedSession:
    return EndedSession(session.sid, session.user)
