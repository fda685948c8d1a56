"""Changes an account, wherever accounts are kept, starting from what is stored at that moment."""

from collections.abc import Callable

from server.core.account import Account
from server.core.errors import WriteConflict
from server.store.account_contract import ChangeableAccounts
from server.store.compare_and_set import MAX_TRIES, retry_conflicts
from server.store.contract import Conflict


async def change_account(
    accounts: ChangeableAccounts,
    user: str,
    change: Callable[[Account], Account | None],
    new_id: Callable[[], str],
) -> Account | None:
    """Change an account.

    What a rename leaves under the former name does not change any more: the account under the
    new name would not have the change. It can only be reopened.

    Args:
        accounts: where it is.
        user: canonical user name.
        change: returns what to write, or None to leave the account as it is. Called again if
            somebody else wrote in between.
        new_id: makes operation ids.

    Returns:
        The account as it was written; None if nothing was written.

    Raises:
        StoreUnavailable: it may have been written.
        WriteConflict: other writers were first every time; nothing was written.
    """

    async def attempt() -> Account | Conflict | None:
        stored = await accounts.load_to_change(user)
        changed = change(stored.account) if stored else None
        if stored is None or changed is None or changed.moving_to:
            return None
        saved = await accounts.save(changed, based_on=stored.revision, operation=new_id())
        return changed if saved else Conflict()

    outcome = await retry_conflicts(attempt)
    if isinstance(outcome, Conflict):
        raise WriteConflict(user, MAX_TRIES)
    return outcome
