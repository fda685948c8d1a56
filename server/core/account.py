"""The account: what is kept of a user."""

from dataclasses import dataclass, field

from server.core.factors import NO_FACTORS, Factors
from server.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class PendingEnd:
    """An end of all sessions of a user that a change of the account owes.

    Attributes:
        end_id: its id.
        reason: why they end.
        removes: whether the account goes when they have ended.
    """

    end_id: str
    reason: Reason
    removes: bool


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
        spelling: the name as its owner spelled it, to be shown; empty if it is spelled like `user`.
        moving_to: the name under which the account goes on, while it is being renamed. Nobody can
            sign in to what is left of it here.
        moved_from: the name that it had before, until the rename has ended there as well.
        pending_end: the end that a change of an account outside the session store still owes.
            Until it is written, nobody can sign in.
    """

    user: str
    password_hash: str = field(repr=False)
    admin: bool
    disabled: bool
    created_at: float
    password_changes: int = 0
    factors: Factors = NO_FACTORS
    spelling: str = ""
    moving_to: str = ""
    moved_from: str = ""
    pending_end: PendingEnd | None = None

    @property
    def name(self) -> str:
        """The name as people see it."""
        return self.spelling or self.user

    @property
    def may_sign_in(self) -> bool:
        """Whether sign-in is not refused, whatever the credentials."""
        return not self.disabled and not self.moving_to and self.pending_end is None
