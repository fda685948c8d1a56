"""Ends all sessions of a user, and removes or replaces the account in the same step."""

from server.core.account import Account
from server.core.durations import milliseconds
from server.core.events import Scope
from server.core.reasons import Reason
from server.store.account_contract import StoredAccount
from server.store.accounts import AccountStore
from server.store.contract import Conflict, Ended
from server.store.entries import Entries
from server.store.replies import read_user_ended
from server.store.scripts import Scripts
from server.store.sessions import ENDS_REMEMBERED


class AccountEnds:
    """`EndsWithChange` in one step of the store.

    Args:
        scripts: runs `end_account`.
        entries: signs the entry of the control stream.
        accounts: where the accounts are.
        longest_life_ms: how long the record of a session can live at most.
    """

    def __init__(
        self, scripts: Scripts, entries: Entries, accounts: AccountStore, longest_life_ms: int
    ) -> None:
        self._scripts = scripts
        self._entries = entries
        self._accounts = accounts
        self._longest_life_ms = longest_life_ms

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
        keys = self._accounts.handle_keys(stored.account) if stored else []
        revision = stored.revision if stored else 0
        return await self._end(user, revision, b"", keys, end_id, reason, initiator)

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
        revision = stored.revision
        value = self._accounts.sealed(account, revision=revision + 1, operation=end_id)
        return await self._end(account.user, revision, value, [], end_id, reason, initiator)

    async def _end(
        self,
        user: str,
        revision: int,
        value: bytes,
        handle_keys: list[str],
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        names = self._accounts.names(user)
        entry = self._entries.sign_end(
            Scope.USER,
            end_id=end_id,
            initiator=initiator,
            reason=reason,
            shard=names.shard,
            user=user,
            keep=None,
        )
        keys = [*names.end_of_user(user, end_id), names.account(user), names.accounts]
        keys += [names.activity(user), names.removed(user), *handle_keys]
        args = [end_id, reason.value, "", self._longest_life_ms, names.prefix]
        remembered = milliseconds(ENDS_REMEMBERED)
        reply, confirmed = await self._scripts.run_confirmed(
            "end_account", keys, [*args, remembered, revision, user, value, *entry]
        )
        if reply == [b"conflict"]:
            return Conflict()
        return read_user_ended(reply, names.shard, confirmed)
