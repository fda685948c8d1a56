"""Record each account's recent activity in the background, so that no request waits for it.

The queue is bounded. What the store cannot take is dropped and counted; the log line of the same
event stays.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from server.accounts.accounts import StoredAccounts
from server.core.activity import ActivityEntry, add
from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.log_rate_limit import TELL_EVERY
from server.store.activity import ActivityStore
from server.store.compare_and_set import retry_conflicts
from server.store.contract import Conflict

log = logging.getLogger("curfew.activity")

MAX_WAITING: Final = 1000
"""Users whose entries wait for the store. Each has at most as many entries as a list holds."""
AFTER_THE_ANSWER: Final = 0.01
"""Seconds for which an entry waits, so that it delays no answer: that of the request it comes from
is about to go out. Less than a person takes to look at the list."""
LAST_WRITES: Final = 2.0
"""Seconds that a stopping process, or a command, waits for what is still to be written."""


class ActivityRecorder:
    """Writes what an account's owner will be shown.

    Args:
        store: where it is kept.
        accounts: who there is. Anybody may claim any name at sign-in.
        context: this node's clocks and randomness.
    """

    def __init__(
        self, store: ActivityStore, accounts: StoredAccounts, context: NodeContext
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._context = context
        self._waiting: dict[str, tuple[ActivityEntry, ...]] = {}
        self._something = asyncio.Event()
        self._nothing = asyncio.Event()
        self._nothing.set()
        self._in_a_hurry = asyncio.Event()
        self._dropped = 0
        self._told_at = -TELL_EVERY

    def record(self, user: str, activity: ActivityEntry) -> None:
        """Write an entry soon."""
        if user not in self._waiting and len(self._waiting) >= MAX_WAITING:
            self._drop(activity.count)
            return
        self._waiting[user] = add(self._waiting.get(user, ()), activity)
        self._something.set()
        self._nothing.clear()

    async def of(self, user: str) -> Sequence[ActivityEntry]:
        """Return the account's recent activity, the newest first.

        Raises:
            StoreUnavailable: nothing is known.
        """
        return (await self._store.load(user)).entries

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            await self._let_answers_go()
            while self._waiting:
                user = next(iter(self._waiting))
                await self._write(user, self._waiting.pop(user))
            self._nothing.set()

    async def finish(self) -> None:
        """Wait until nothing waits any more, but not long."""
        self._in_a_hurry.set()
        try:
            async with asyncio.timeout(LAST_WRITES):
                await self._nothing.wait()
        except TimeoutError:
            self._drop(sum(each.count for kept in self._waiting.values() for each in kept))
        finally:
            self._in_a_hurry.clear()
        self._tell()

    async def _let_answers_go(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(AFTER_THE_ANSWER):
                await self._in_a_hurry.wait()

    async def _write(self, user: str, news: Sequence[ActivityEntry]) -> None:
        try:
            unknown = await self._accounts.find(user) is None
            if unknown or await self._saved(user, news):
                return
        except StoreUnavailable:
            pass
        self._drop(sum(each.count for each in news))

    async def _saved(self, user: str, news: Sequence[ActivityEntry]) -> bool:
        async def attempt() -> bool | Conflict:
            kept = await self._store.load(user)
            entries = kept.entries
            for each in reversed(news):
                entries = add(entries, each)
            saved = await self._store.save(
                user, entries, based_on=kept.revision, operation=self._context.new_id()
            )
            return saved or Conflict()

        return not isinstance(await retry_conflicts(attempt), Conflict)

    def _drop(self, count: int) -> None:
        self._dropped += count
        if self._context.monotonic() >= self._told_at + TELL_EVERY:
            self._tell()

    def _tell(self) -> None:
        if self._dropped:
            log.warning("activity was not kept", extra={"count": self._dropped})
            self._dropped, self._told_at = 0, self._context.monotonic()
