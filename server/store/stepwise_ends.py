"""Ends of sessions with a change of an account that is kept elsewhere.

No step can write to two databases. So the account is changed first, and the end that it owes is
noted in it by the same write. Nobody can sign in to an account with such a note. Then the sessions
end, and last the note, or the whole account, goes. Whoever finds a note completes the end: if a
process dies in between, or the session store fails, it is done within `LOOK_EVERY` after the first
server runs and reaches both.

A sign-in reads the epochs of the user before the account. If it saw the account before the change,
it has the epochs from before the end: its session begins before the end, and ends by it, or it is
refused.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from server.core.account import Account, PendingEnd
from server.core.context import NodeContext
from server.core.errors import StoreUnavailable
from server.core.reasons import Reason
from server.store.account_contract import Accounts, StoredAccount
from server.store.compare_and_set import retry_conflicts
from server.store.contained import contained
from server.store.contract import Conflict, Ended, SessionStore

log = logging.getLogger("curfew.application")

LOOK_EVERY: Final = timedelta(seconds=15)
AT_ONCE: Final = 50
"""Accounts that are completed at the same time: so many may hang, and keep no other waiting."""
STEP_LIMIT: Final = timedelta(seconds=15)
"""How long a look waits for one account: another database has no limit of ours."""


class StepwiseEnds:
    """`EndsWithChange` in steps, which are completed by whoever comes first.

    Args:
        accounts: where accounts are.
        sessions: where sessions are.
        clear: removes what the session store keeps of an account.
        context: this node's id and randomness.
    """

    def __init__(
        self,
        accounts: Accounts,
        sessions: SessionStore,
        clear: Callable[[str], Awaitable[None]],
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._clear = clear
        self._context = context
        self._under_way: set[str] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def remove(
        self,
        user: str,
        stored: StoredAccount | None,
        *,
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        """Remove an account, and end its sessions; see `EndsWithChange`."""
        end = PendingEnd(end_id, reason, removes=True)
        if stored is None:
            return await self._end(user, end, initiator)
        leaving = replace(stored.account, admin=False)  # and is listed as such no more
        return await self._change(stored, leaving, end, initiator)

    async def replace(
        self,
        stored: StoredAccount,
        account: Account,
        *,
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        """Write an account, and end its sessions; see `EndsWithChange`."""
        begun = stored.account.pending_end
        removes = begun is not None and begun.removes  # that goes on
        return await self._change(stored, account, PendingEnd(end_id, reason, removes), initiator)

    async def run(self) -> None:
        """Complete what others have begun, from time to time.

        An account that fails or takes long keeps no other waiting, also not the next look.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                for user in await self._unfinished():
                    group.create_task(self._complete(user))
                await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def complete(self) -> None:
        """Complete every end that was begun. Two may do so at once."""
        await asyncio.gather(*(self._complete(user) for user in await self._unfinished()))

    async def _unfinished(self) -> Collection[str]:
        async with _left_to_the_next_look():
            return set(await self._accounts.unfinished()) - self._under_way
        return ()

    async def _complete(self, user: str) -> None:
        self._under_way.add(user)
        try:
            async with self._turns, _left_to_the_next_look():
                stored = await self._accounts.load_to_change(user)
                if stored and (end := stored.account.pending_end):
                    await self._end(user, end, self._context.node)
                    await self._settle(user, end)
        finally:
            self._under_way.discard(user)

    async def _change(
        self, stored: StoredAccount, account: Account, end: PendingEnd, initiator: str
    ) -> Ended | Conflict:
        owing = replace(account, pending_end=end)
        if not await self._accounts.save(
            owing, based_on=stored.revision, operation=f"{end.end_id}-begun"
        ):
            return Conflict()
        ended = await self._end(account.user, end, initiator)
        await self._settle(account.user, end)
        return ended

    async def _end(self, user: str, end: PendingEnd, initiator: str) -> Ended:
        return await self._sessions.end_user(
            user, keep=None, end_id=end.end_id, reason=end.reason, initiator=initiator
        )

    async def _settle(self, user: str, end: PendingEnd) -> None:
        """Take the note away that an end was owed, or the account with it.

        A later note stays: its end comes after this one.
        """

        async def attempt() -> Conflict | None:
            stored = await self._accounts.load_to_change(user)
            if stored is None or stored.account.pending_end != end:
                return None
            return None if await self._settled(stored, end) else Conflict()

        await retry_conflicts(attempt)  # if others are always first, the next look does it

    async def _settled(self, stored: StoredAccount, end: PendingEnd) -> bool:
        revision, operation = stored.revision, self._context.new_id()
        if not end.removes:
            settled = replace(stored.account, pending_end=None)
            return await self._accounts.save(settled, based_on=revision, operation=operation)
        await self._clear(stored.account.user)  # before others may have the name
        return await self._accounts.remove(
            stored.account.user, based_on=revision, operation=operation
        )


@asynccontextmanager
async def _left_to_the_next_look() -> AsyncIterator[None]:
    """Give up what fails or takes too long. Faults of the code are logged."""
    try:
        async with asyncio.timeout(STEP_LIMIT.total_seconds()):
            with contained():
                yield
    except StoreUnavailable:
        pass
    except Exception:
        log.exception("an end that an account owes was not completed")
