"""Give an account another name.

A name is where its account is, and another name may be in another shard. So a rename has steps. The
first one ends all sessions under the former name and closes it: from then on nobody can sign in to
it, and nothing changes what is left of it. Nobody can sign in to the new name before the account is
there. A rename that was interrupted goes on when it is asked for again.
"""

from dataclasses import dataclass, replace

from server.accounts.account_changes import AccountChanges
from server.accounts.outcomes import Denial, NameTaken, NotRenamed
from server.accounts.throttle import Throttle
from server.accounts.user_names import canonical_username, spelling_of
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.credentials import BadUsername
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.realtime.rooms import Rooms
from server.store.account_contract import Accounts
from server.store.activity import ActivityStore
from server.store.change_account import change_account


@dataclass(frozen=True, slots=True)
class Renamed:
    """The account has its new name.

    Attributes:
        user: the new canonical name.
        receipt: of the sessions under the former name.
    """

    user: str
    receipt: Receipt


class Renaming:
    """Renames accounts.

    Args:
        accounts: where accounts are.
        changes: ends the sessions under the former name.
        activity: the list that moves along.
        throttle: forgets what tries at the former name left.
        rooms: the rooms that the account is a member of.
        context: this node's randomness and audit trail.
    """

    def __init__(
        self,
        accounts: Accounts,
        changes: AccountChanges,
        activity: ActivityStore,
        throttle: Throttle,
        rooms: Rooms,
        context: NodeContext,
    ) -> None:
        self._accounts = accounts
        self._changes = changes
        self._activity = activity
        self._throttle = throttle
        self._rooms = rooms
        self._context = context

    async def rename(self, user: str, name: str) -> Renamed | NotRenamed | Denial:
        """Give an account another name, and end all its sessions.

        Password, second factors, role, rooms and recent activity stay. Passkeys go on to work.

        Args:
            user: the canonical name that it has.
            name: the name that it gets, as it was typed.

        Raises:
            StoreUnavailable: it may be half done; asking again completes it.
        """
        new = canonical_username(name)
        if isinstance(new, BadUsername):
            return NotRenamed(new)
        stored = await self._accounts.load_to_change(user)
        if stored is None:
            return Denial.ACCOUNT_NOT_FOUND
        account = stored.account
        if account.moving_to not in {"", new}:
            return Denial.RENAME_UNFINISHED
        if new == user:
            return await self._respell(account, spelling_of(name))
        if not await self._is_free(new, account):
            return NotRenamed(NameTaken())
        if not await self._accounts.claim_look(new, former=user):
            return NotRenamed(NameTaken())
        receipt = await self._close(account, new)
        if isinstance(receipt, Denial):
            return receipt
        if not await self._open(account, new, spelling_of(name)):
            await change_account(self._accounts, user, _reopened, self._context.new_id)
            await self._accounts.claim_look(user, former=new)
            return NotRenamed(NameTaken())
        await self._remove(account)
        await change_account(self._accounts, new, _settled, self._context.new_id)
        self._context.record(AuditEvent.USER_UPDATED, user=new, change="renamed", former=user)
        return Renamed(new, receipt)

    async def _respell(self, account: Account, spelling: str) -> Renamed | NotRenamed | Denial:
        """Show the same name in another spelling: all is where it belongs."""
        if spelling == account.spelling:
            return NotRenamed(NameTaken())

        def respelled(account: Account) -> Account:
            return replace(account, spelling=spelling)

        user, reason = account.user, Reason.ACCOUNT_RENAMED
        receipt = await self._changes.end_with(user, respelled, reason, account)
        if isinstance(receipt, Denial):
            return receipt
        self._context.record(AuditEvent.USER_UPDATED, user=user, change="renamed", former=user)
        return Renamed(user, receipt)

    async def _is_free(self, new: str, account: Account) -> bool:
        """Return whether nobody has the name, or this very rename has begun to give it."""
        there = await self._accounts.load(new)
        return there is None or _is_continued(there.account, account)

    async def _close(self, former: Account, new: str) -> Receipt | Denial:
        """End all sessions under the former name, and let nobody sign in to it any more."""
        target = new

        def closed(account: Account) -> Account:
            nonlocal target
            target = account.moving_to or new
            return replace(account, moving_to=target)

        receipt = await self._changes.end_with(former.user, closed, Reason.ACCOUNT_RENAMED, former)
        return receipt if target == new else Denial.RENAME_UNFINISHED

    async def _open(self, account: Account, new: str, spelling: str) -> bool:
        """Make the account under its new name; return False if somebody has that by now."""
        stored = await self._accounts.load(account.user)
        if stored is not None:
            made = replace(
                stored.account, user=new, spelling=spelling, moving_to="", moved_from=account.user
            )
            await self._accounts.save(made, based_on=0, operation=self._context.new_id())
        there = await self._accounts.load(new)
        if there is None or not _is_continued(there.account, account):
            return False
        if account.factors.handle:
            await self._accounts.point_handle(account.factors.handle, new)
        await self._move_activity(account.user, new)
        await self._rooms.rename(account.user, new)
        await self._throttle.forget(new)
        return True

    async def _move_activity(self, user: str, new: str) -> None:
        entries = (await self._activity.load(user)).entries
        if entries:
            await self._activity.save(new, entries, based_on=0, operation=self._context.new_id())

    async def _remove(self, former: Account) -> None:
        """Remove what is left under the former name."""
        user, since = former.user, self._context.now()
        await self._rooms.forget(user)
        await self._changes.end_with(user, lambda _: None, Reason.ACCOUNT_RENAMED, former)
        await self._accounts.release_look(user, since=since)
        await self._accounts.drop_administrator(user, may_be_last=True)
        await self._throttle.forget(user)


def _is_continued(there: Account, account: Account) -> bool:
    """Return whether the account under the new name is the one that is being renamed."""
    return there.moved_from == account.user and there.created_at == account.created_at


def _reopened(account: Account) -> Account:
    return replace(account, moving_to="")


def _settled(account: Account) -> Account | None:
    return replace(account, moved_from="") if account.moved_from else None
