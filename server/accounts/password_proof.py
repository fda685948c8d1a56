"""A proof of the password that waits for the second factor, in a challenge of the client."""

from dataclasses import dataclass
from typing import Final

from server.core.session import Json
from server.crypto.challenges import Challenge
from server.store.contract import Epochs

NOT_READ: Final = Epochs("")


@dataclass(frozen=True, slots=True)
class PasswordProof:
    """A proof of the password, to which a second factor is owed.

    Attributes:
        user: whose password it was.
        password_changes: how often that password had been replaced before.
        epochs: read before the password was checked, for the sign-in that follows.
        remember: what was chosen for the cookie of that sign-in.
    """

    user: str
    password_changes: int
    epochs: Epochs = NOT_READ
    remember: bool | None = None

    def as_facts(self) -> dict[str, Json]:
        """Return what a challenge carries."""
        return {
            "user": self.user,
            "password_changes": self.password_changes,
            "epochs": [self.epochs.shard, self.epochs.user],
            "remember": self.remember,
        }


def proof_in(challenge: Challenge) -> PasswordProof:
    """Return the proof that a challenge of ours carries."""
    facts = challenge.facts
    shard, user = facts["epochs"]  # type: ignore[misc,str-unpack]  # as `as_facts` wrote it
    changes = int(facts["password_changes"])  # type: ignore[arg-type]  # likewise
    chosen = facts.get("remember")  # challenges of an earlier version do not have it
    remember = chosen if isinstance(chosen, bool) else None
    return PasswordProof(str(facts["user"]), changes, Epochs(str(shard), str(user)), remember)
