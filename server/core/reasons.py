"""Why a session ended: one word, the same in event, frame, page, log and metric (P6)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """The reason words of the protocol. Their values are fixed: clients compare them."""

    LOGOUT = "logout"
    TERMINATED = "terminated"
    ADMIN = "admin"
    CREDENTIAL_CHANGED = "credential_changed"
    ACCOUNT_DISABLED = "account_disabled"
    SESSION_LIMIT = "session_limit"
    TOKEN_REUSE = "token_reuse"  # noqa: S105 - a word, no secret
    IDLE_TIMEOUT = "idle_timeout"
    ABSOLUTE_TIMEOUT = "absolute_timeout"
    SUPERSEDED = "superseded"


UNAUTHENTICATED = "unauthenticated"
"""Said where no session is known, so no `Reason` would be true."""


@dataclass(frozen=True, slots=True)
class NoSession:
    """What is told of a session that is not live.

    Attributes:
        reason: why it ended; None when nothing is known of it.
        end_id: the end's id, as in the receipt of whoever ended it.
        at: when, in Unix seconds on the store's clock.
        just_ended: whether it was asking that ended it; the next one uses it after its end.
    """

    reason: Reason | None = None
    end_id: str | None = None
    at: float | None = None
    just_ended: bool = field(default=False, compare=False)

    @property
    def word(self) -> str:
        """The reason word, as frames, pages, logs and metrics have it."""
        return UNAUTHENTICATED if self.reason is None else self.reason.value
