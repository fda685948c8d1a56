"""The account: what is kept of a user."""

from dataclasses import dataclass, field

from server.core.factors import NO_FACTORS, Factors


@dataclass(frozen=True, slots=True)
class Account:
    """One user's account.

    Attributes:
        user: the canonical user name, which is also the id.
        password_hash: argon2id, in the modular crypt format.
        admin: whether the user may end other people's sessions and disable accounts.
        disabled: whether sign-in is refused.
        created_at: Unix seconds on the store's clock.
        password_changes: how often the password was replaced. A sign-in that waits for its second
            factor is only valid for the password that it began with.
        factors: the second factors.
    """

    user: str
    password_hash: str = field(repr=False)
    admin: bool
    disabled: bool
    created_at: float
    password_changes: int = 0
    factors: Factors = NO_FACTORS
