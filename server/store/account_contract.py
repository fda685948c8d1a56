"""Where accounts are kept: all that Curfew asks of it.

Sign-up, credentials, roles, second factors, renames, deletions and commands go through `Accounts`.
`RedisAccounts` keeps accounts in the session store; an application may keep them in a database of
its own. Both pass one suite, `curfew.testing.accounts`.

Curfew does the rest: it hashes passwords, checks names, counts tries and ends sessions. So an
implementation only keeps values, and keeps them apart by revisions.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from server.core.account import Account
from server.core.reasons import Reason
from server.store.contract import Conflict, Ended


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account that was loaded.

    Attributes:
        account: the account.
        revision: the revision that a save must be based on; over 0. A name never has the same one
            again, also if its account is removed and made anew.
        stale_key: whether it is sealed under an older key and should be written again.
    """

    account: Account
    revision: int
    stale_key: bool = False


class Accounts(Protocol):
    """Keeps accounts. Every method raises `StoreUnavailable` if its database fails.

    All user names are in their canonical form. What a method has answered is there for all that
    are called later, in any process: no answer may come from a copy that is behind. A method that
    failed may have written; Curfew repeats a write with the same `operation`.
    """

    async def load(self, user: str) -> StoredAccount | None:
        """Return an account; None if there is none. It is asked at each sign-in."""

    async def load_to_change(self, user: str) -> StoredAccount | None:
        """Return an account that is about to be changed. Elsewhere than on Redis, it is `load`."""

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """Write an account if the stored one still has revision `based_on`.

        Its `factors.handle`, if there is one, leads to it from then on, except if the account is
        `moving_to` another name. An administrator's name is noted among `administrators`.

        Args:
            account: what to write.
            based_on: the revision that was loaded; 0 for a new account, of which there must be
                none under the name.
            operation: the id of this write. If the last write had the same, nothing is written,
                and the answer is True.

        Returns:
            Whether it is written.
        """

    async def remove(self, user: str, *, based_on: int, operation: str) -> bool:
        """Remove an account if it still has revision `based_on`, with a handle that leads to it.

        Args:
            user: whose account.
            based_on: the revision that was loaded.
            operation: the id of this removal.

        Returns:
            Whether no account is left there.
        """

    async def user_of_handle(self, handle: str) -> str | None:
        """Return the user that authenticators know by a handle, of any text; None if nobody."""

    async def point_handle(self, handle: str, user: str) -> None:
        """Have a handle lead to another user, after a rename; to nobody if `user` is empty."""

    async def page(self, after: str, limit: int, *, prefix: str = "") -> Sequence[str]:
        """Return names of accounts that follow a name, in the order of their bytes in UTF-8.

        Args:
            after: the last name of the page before; empty for the first page.
            limit: how many names at most.
            prefix: how the names begin, to the letter.
        """

    async def administrators(self) -> Collection[str]:
        """Return the names that are noted as administrators'; the accounts decide."""

    async def drop_administrator(
        self, user: str, *, others: Collection[str] = (), may_be_last: bool = False
    ) -> bool:
        """Remove a name from the administrators; return False if nobody else would be left.

        Of two administrators who take the role away from each other at once, one stays: that one
        of the others is listed, and the removal, are one step.

        Args:
            user: whose name; it need not be listed.
            others: the other administrators who can sign in, of whom one must still be listed.
            may_be_last: whether nobody need be left.
        """

    async def claim_look(self, user: str, *, former: str = "") -> bool:
        """Claim how a name looks (`curfew.look_of`); return False if another name looks so.

        It comes before the account is made. A claim whose account was not made within two minutes,
        or is gone, may be taken over.

        Args:
            user: for whom; a second claim for the same name succeeds.
            former: the name that the account has until now, whose claim may be taken over.
        """

    async def release_look(self, user: str, *, since: float) -> None:
        """Give up the claim of a removed account.

        Args:
            user: whose it was.
            since: Unix seconds before the removal; a claim that was made later stays.
        """

    async def unfinished(self) -> Collection[str]:
        """Return the names of accounts that have a `pending_end`. It is asked every 15 seconds."""


OpenAccounts = Callable[[], AbstractAsyncContextManager[Accounts]]
"""Opens accounts for one process, and closes them at its end."""


class ChangeableAccounts(Protocol):
    """The part of `Accounts` that `change_account` needs."""

    async def load_to_change(self, user: str) -> StoredAccount | None:
        """See `Accounts`."""

    async def save(self, account: Account, *, based_on: int, operation: str) -> bool:
        """See `Accounts`."""


class EndsWithChange(Protocol):
    """Changes of accounts that no session survives. Both raise `StoreUnavailable`."""

    async def remove(
        self,
        user: str,
        stored: StoredAccount | None,
        *,
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        """Remove an account, and end every session and every sign-in of it that is under way.

        Args:
            user: canonical user name.
            stored: the account as it was loaded; None if there is none, and only sessions end.
            end_id: id of the end; repeating with the same id is safe.
            reason: why the sessions end.
            initiator: the node that asks for the end.

        Returns:
            What ended; `Conflict` if somebody else wrote the account in between.
        """

    async def replace(
        self,
        stored: StoredAccount,
        account: Account,
        *,
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        """Write an account in place of the one that was loaded; otherwise as `remove`."""
