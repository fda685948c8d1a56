"""Changes of an account that its sessions do not survive: it is deleted, or the role taken away.

The account and its sessions end in one step of the store, or in steps that are completed by whoever
comes first. So a sign-in that is under way is refused afterwards, and nobody stays signed in to an
account that is gone. An account that is made under the same name later inherits nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from server.accounts.outcomes import Denial
from server.accounts.requester import Person
from server.accounts.throttle import Throttle
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.errors import WriteConflict
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.realtime.rooms import Rooms
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.account_contract import Accounts, EndsWithChange
from server.store.change_account import change_account
from server.store.compare_and_set import MAX_TRIES, retry_conflicts
from server.store.contract import Conflict, Ended

PAGE: int = 100
"""The most accounts on one page of a list."""

Change = Callable[[Account], Account | None]
"""Returns what to write in place of an account; None to remove it."""


@dataclass(frozen=True, slots=True)
class ListedAccounts:
    """A part of the list of accounts.

    Attributes:
        accounts: in the order of their names.
        following: the name after which the next page begins; empty if there is none.
    """

    accounts: Sequence[Account]
    following: str


class AccountChanges:
    """Lists accounts, deletes them, and gives and takes the role of an administrator.

    Args:
        accounts: where accounts are.
        ends: changes accounts and ends their sessions.
        sessions: tells whether the session of a person still lives.
        terminations: ends sessions with receipts.
        throttle: forgets what the tries of an account left.
        rooms: the rooms that accounts are members of.
        context: this node's id, randomness and audit trail.
    """

    def __init__(
        self,
        accounts: Accounts,
        ends: EndsWithChange,
        sessions: SessionManager,
        terminations: Terminations,
        throttle: Throttle,
        rooms: Rooms,
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._ends = ends
        self._sessions = sessions
        self._terminations = terminations
        self._throttle = throttle
        self._rooms = rooms
        self._context = context

    async def page(self, after: str = "", limit: int = PAGE, *, prefix: str = "") -> ListedAccounts:
        """Return accounts in the order of their names.

        Args:
            after: the last name of the page before; empty for the first page.
            limit: how many at most.
            prefix: how the names begin.

        Raises:
            StoreUnavailable: nothing is known. Likewise below.
        """
        names = await self._accounts.page(after, limit, prefix=prefix)
        found = [await self._accounts.load(name) for name in names]
        accounts = [each.account for each in found if each is not None]
        return ListedAccounts(accounts, names[-1] if len(names) == limit else "")

    async def make_administrator(self, user: str) -> Account | Denial:
        """Give the role of an administrator. No session ends."""
        found = await self._whole(user)
        if isinstance(found, Denial):
            return found
        changed = await change_account(
            self._accounts, user, lambda account: replace(account, admin=True), self._context.new_id
        )
        if changed is None:
            return Denial.ACCOUNT_NOT_FOUND
        self._context.record(AuditEvent.USER_UPDATED, user=user, change="made_administrator")
        return changed

    async def take_role(self, user: str, *, may_be_last: bool = False) -> Receipt | Denial:
        """Take the role of an administrator away, and end all sessions of the user.

        Args:
            user: canonical user name.
            may_be_last: whether nobody else may be left who has the role.
        """
        if denial := await self._give_up_role(user, may_be_last=may_be_last):
            return denial

        receipt = await self._end_unless_moving(
            user, lambda account: replace(account, admin=False), Reason.ADMIN
        )
        if isinstance(receipt, Receipt):
            self._context.record(AuditEvent.USER_UPDATED, user=user, change="no_administrator")
        return receipt

    async def delete_own(self, person: Person) -> Receipt | Denial | NoSession:
        """Delete the account of somebody who is signed in; otherwise as `delete`.

        If the account went while this request waited, somebody else may have the name by now. What
        is loaded while the person's session still lives is the person's account.
        """
        found = await self._whole(person.user)
        current = await self._sessions.current(person.sid)
        if isinstance(current, NoSession):
            return current
        return found if isinstance(found, Denial) else await self.delete(person.user, only=found)

    async def delete(
        self, user: str, *, may_be_last: bool = False, only: Account | None = None
    ) -> Receipt | Denial:
        """Delete an account with all that is kept of it, and end all its sessions.

        Args:
            user: canonical user name.
            may_be_last: whether it may be the last administrator's.
            only: the account that is meant; None for whichever has the name.

        Raises:
            StoreUnavailable: it is not known whether it was deleted; trying again is safe.
            WriteConflict: another account has the name by now; nothing was written.
        """
        if denial := await self._give_up_role(user, may_be_last=may_be_last):
            if denial is Denial.ACCOUNT_NOT_FOUND:  # the reply to its removal may have been lost
                await self._clear_away(user, "")
            return denial
        await self._rooms.forget(user)  # before somebody else can have the name
        since = self._context.now()
        handle = ""

        def nothing(account: Account) -> None:
            nonlocal handle
            handle = account.factors.handle

        receipt = await self._end_unless_moving(user, nothing, Reason.ACCOUNT_DELETED, only)
        if isinstance(receipt, Denial):
            return receipt
        await self._clear_away(user, handle)
        await self._accounts.release_look(user, since=since)
        self._context.record(AuditEvent.USER_DELETED, user=user)
        return receipt

    async def end_with(
        self, user: str, change: Change, reason: Reason, only: Account | None = None
    ) -> Receipt | Denial:
        """Change an account, or remove it, and end all its sessions in the same step.

        Args:
            user: canonical user name.
            change: returns what to write; None to remove the account.
            reason: why the sessions end.
            only: the account that is meant; None for whichever has the name.

        Raises:
            WriteConflict: other writers were first every time, or another account has the name by
                now; nothing was written.
        """
        if await self._accounts.load_to_change(user) is None:
            return Denial.ACCOUNT_NOT_FOUND

        async def write(end_id: str) -> Ended:
            attempt = self._attempt(user, change, reason, end_id, only)
            ended = await retry_conflicts(attempt)
            if isinstance(ended, Conflict):
                raise WriteConflict(user, MAX_TRIES)
            return ended

        return await self._terminations.by(write, user, reason)

    async def _end_unless_moving(
        self, user: str, change: Change, reason: Reason, only: Account | None = None
    ) -> Receipt | Denial:
        """Do as `end_with`, but leave an account alone with which a rename goes on elsewhere."""
        is_moving = False

        def unless_moving(account: Account) -> Account | None:
            nonlocal is_moving
            is_moving = bool(account.moving_to)
            return account if is_moving else change(account)

        receipt = await self.end_with(user, unless_moving, reason, only)
        return Denial.RENAME_UNFINISHED if is_moving else receipt

    def _attempt(
        self, user: str, change: Change, reason: Reason, end_id: str, only: Account | None
    ) -> Callable[[], Awaitable[Ended | Conflict]]:
        node = self._context.node

        async def attempt() -> Ended | Conflict:
            stored = await self._accounts.load(user)
            if stored and only and stored.account.created_at != only.created_at:
                raise WriteConflict(user, 1)
            account = change(stored.account) if stored else None
            if stored is None or account is None:
                return await self._ends.remove(
                    user, stored, end_id=end_id, reason=reason, initiator=node
                )
            return await self._ends.replace(
                stored, account, end_id=end_id, reason=reason, initiator=node
            )

        return attempt

    async def _give_up_role(self, user: str, *, may_be_last: bool) -> Denial | None:
        """Take a name off the list of administrators; return why not, if it is the last one."""
        found = await self._whole(user)
        if isinstance(found, Denial):
            return found
        if not found.admin:
            return None
        dropped = await self._accounts.drop_administrator(
            user,
            others=await self._others_who_count(user),
            may_be_last=may_be_last or not found.may_sign_in,
        )
        return None if dropped else Denial.LAST_ADMINISTRATOR

    async def _whole(self, user: str) -> Account | Denial:
        """Return an account, unless there is none, or a rename has left half of it elsewhere."""
        stored = await self._accounts.load_to_change(user)
        if stored is None:
            return Denial.ACCOUNT_NOT_FOUND
        account = stored.account
        former = (
            await self._accounts.load_to_change(account.moved_from) if account.moved_from else None
        )
        is_left = former is not None and former.account.moving_to == user
        return Denial.RENAME_UNFINISHED if account.moving_to or is_left else account

    async def _others_who_count(self, user: str) -> list[str]:
        """Return the other administrators who can sign in."""
        found = []
        for other in set(await self._accounts.administrators()) - {user}:
            stored = await self._accounts.load_to_change(other)
            if stored is None or not stored.account.admin:
                await self._accounts.drop_administrator(other, may_be_last=True)  # listed wrongly
            elif stored.account.may_sign_in:
                found.append(other)
        return found

    async def _clear_away(self, user: str, handle: str) -> None:
        """Remove what a removed account has in other shards."""
        if handle and await self._accounts.user_of_handle(handle) == user:
            await self._accounts.point_handle(handle, "")
        await self._throttle.forget(user)
