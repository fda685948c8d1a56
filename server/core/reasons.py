"""Why a session ended: one word, the same in events, frames, pages, logs and metrics (P6)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """The reason words of the protocol. Their values are fixed: clients compare them."""

    LOGOUT = "logout"
    TERMINATED = "terminated"
    ADMIN = "admin"
    CREDENTIAL_CHANGED = "credential_changed"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_RENAMED = "account_renamed"
    SESSION_LIMIT = "session_limit"
    TOKEN_REUSE = "token_reuse"  # noqa: S105 - a word, no secret
    IDLE_TIMEOUT = "idle_timeout"
    ABSOLUTE_TIMEOUT = "absolute_timeout"
    SUPERSEDED = "superseded"


UNAUTHENTICATED = "unauthenticated"
"""The word for a request without a known session, for which no `Reason` would be true."""


@dataclass(frozen=True, slots=True)
class NoSession:
    """Why there is no live session.

    Attributes:
        reason: why it ended; None if no session is known.
        end_id: id of the end, as in its receipt.
        at: when it ended, in Unix seconds on the store's clock.
        just_ended: whether this very request ended it; a later one comes after its end.
    """

    reason: Reason | None = None
    end_id: str | None = None
    at: float | None = None
    just_ended: bool = field(default=False, compare=False)

    @property
    def word(self) -> str:
        """The reason word, as frames, pages, logs and metrics have it."""
        return UNAUTHENTICATED if self.reason is None else self.reason.value
