"""Accounts that the suite for implementations of `curfew.Accounts` saves."""

from dataclasses import replace
from typing import Final

from curfew import Account, Accounts
from server.core.account import PendingEnd
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.core.reasons import Reason
from server.core.token import make_sid

HANDLE: Final = make_sid(0, bytes(range(16)))
FACTORS: Final = Factors(
    handle=HANDLE,
    totp=Totp("secret", 5, 2.5),
    passkeys=(Passkey("id", "key", "localhost", 3, "a key", 2.0, 4.5),),
    recovery=RecoveryCodes("salt", ("hash", "other")),
    wrong_codes=3,
    wrong_code_at=12.75,
)
ANN: Final = Account("ann", "hash", admin=False, disabled=False, created_at=1.5)
CID: Final = replace(ANN, user="cid", factors=FACTORS)
"""Curfew's own store wants a handle in the shard of its user."""
FULL: Final = Account(
    "ünïcødé@bücher.example",
    "hash",
    admin=True,
    disabled=True,
    created_at=1234567890.123456,
    password_changes=7,
    factors=FACTORS,
    spelling="Ünïcødé@bücher.example",
    moved_from="before",
)
MOVING: Final = replace(
    FULL,
    user="moving",
    factors=replace(FACTORS, handle=""),
    moving_to="moved",
    pending_end=PendingEnd("e1", Reason.ADMIN, removes=True),
)
"""What `FULL` cannot have: nothing leads to it any more."""


async def saved(accounts: Accounts, account: Account, operation: str = "new") -> int:
    """Save a new account; return its revision."""
    assert await accounts.save(
        account, based_on=0, operation=f"{operation}-{account.user.encode().hex()}"
    )
    return await revision_of(accounts, account.user)


async def revision_of(accounts: Accounts, user: str) -> int:
    """Return the revision of an account that is there."""
    stored = await accounts.load_to_change(user)
    assert stored is not None
    assert stored.revision > 0
    return stored.revision
