"""Tells an application of sessions: begun and rotated on the node that did it, ended by one node.

Every end is told at least once, and once unless a node dies or a hook fails while it tells. An end
comes by the control stream at once. What no event told of (a session that expired unused, an end
while nobody served) is found by looking at the noted sessions again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from handlers.http.additions import EndHook, Hooks
from handlers.http.node import Node
from handlers.http.tasks import Work
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.events import EVERYTHING, SessionsEnded
from server.core.reasons import NoSession
from server.core.session import Session, deadlines
from server.store.contained import contained
from server.store.session_ledger import CLAIM, EndedSession, SessionLedger

log = logging.getLogger("curfew.application")

HOOK_SECONDS: Final = 30.0
"""How long a hook may take: less than a claim lasts."""
AT_ONCE: Final = 50
"""Calls of the hook for ends at the same time. Those that do not return keep no other waiting, as
long as they are fewer."""
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
        self._turns = asyncio.Semaphore(AT_ONCE)

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
            self._start(ENDED, self._look_at_end(EndedSession(sid, end.user)))

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
        is_due = until <= self._node.now()
        for shard in self._ledger.shards:
            async for page in self._ledger.due(shard, until):
                for each in page:
                    await self._look(each, is_due=is_due)

    async def _look(self, noted: EndedSession, *, is_due: bool) -> None:
        """Tell of the end of a session, unless it lives or another node tells.

        Args:
            noted: the session.
            is_due: whether it should have expired. Before that, one of which nothing is known may
                be about to begin.
        """
        sessions = self._node.services.sessions
        found = await sessions.current(noted.sid)
        if isinstance(found, Session):
            await self._ledger.note(noted, look_at=deadlines(found, sessions.rules).expires_at)
        elif found.reason is None and not is_due:
            return
        elif found.reason is None and await sessions.is_unreadable(noted.sid):
            await self._ledger.note(noted, look_at=self._node.now() + UNREADABLE_SECONDS)
        else:
            await self._tell_end(noted, found)

    async def _tell_end(self, noted: EndedSession, why: NoSession) -> None:
        """Let the hook run beside everything else, unless another node does."""
        hook, is_told = self._hooks.ended, False
        await self._turns.acquire()
        try:
            retry_at = self._node.now() + CLAIM.total_seconds()
            if hook and await self._ledger.claim(noted, retry_at=retry_at):
                is_told = self._start(ENDED, self._call(hook, noted, why))
        finally:
            if not is_told:
                self._turns.release()

    async def _call(self, hook: EndHook, noted: EndedSession, why: NoSession) -> None:
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                with contained():
                    await hook(self._node, noted, why.reason)
        except Exception as error:  # noqa: BLE001 an application may raise anything
            self._node.tasks.note_failure(ENDED, error)  # it is told again when the claim is over
        else:
            with suppress(StoreUnavailable):  # likewise
                await self._ledger.forget(noted)
        finally:
            self._turns.release()

    async def _look_at_end(self, noted: EndedSession) -> None:
        with suppress(StoreUnavailable, WriteConflict):  # a later look finds it
            await self._look(noted, is_due=False)

    def _tell(self, name: str, act: Callable[[], Awaitable[object]]) -> None:
        async def told() -> None:
            async with asyncio.timeout(2 * HOOK_SECONDS):
                await act()

        self._start(name, told())

    def _start(self, name: str, work: Work) -> bool:
        """Begin a task; return False if this process stops, so that another one looks."""
        try:
            self._node.tasks.start(work, name)
        except RuntimeError:
            return False
        return True


def _named(session: Session) -> EndedSession:
    return EndedSession(session.sid, session.user)
