"""The events of the audit trail, their levels, and the form of an entry.

Names and levels are those of the OWASP Logging Vocabulary where it has one, so that existing log
rules match our lines. Names of our own use the prefix under which such a rule would look for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

MAX_FACT: Final = 256
"""Characters kept of one fact: a client chooses the text of some."""


class AuditEvent(StrEnum):
    """What happened."""

    LOGIN_SUCCESS = "authn_login_success"
    LOGIN_FAIL = "authn_login_fail"
    LOGIN_THROTTLED = "authn_login_fail_max"
    SECOND_FACTOR_FAIL = "authn_second_factor_fail"
    REAUTHENTICATED = "authn_reauthenticated"
    PASSWORD_CHANGED = "authn_password_change"
    PASSWORD_CHANGE_FAIL = "authn_password_change_fail"
    FACTOR_ADDED = "authn_factor_added"
    FACTOR_REMOVED = "authn_factor_removed"
    RECOVERY_CODE_USED = "authn_recovery_code_used"
    TOKEN_REUSE = "authn_token_reuse"
    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_DELETED = "user_deleted"
    SESSION_CREATED = "session_created"
    SESSION_RENEWED = "session_renewed"
    SESSION_ENDED = "session_expired"
    USE_AFTER_END = "session_use_after_expire"
    ACCESS_REFUSED = "authz_fail"
    ADMIN_ACT = "authz_admin"
    DECRYPT_FAIL = "crypt_decrypt_fail"
    DIRECT_REFERENCE = "malicious_direct_reference"
    CHALLENGE_REFUSED = "malicious_challenge"
    COOKIE_REFUSED = "malicious_cookie"
    HOST_REFUSED = "malicious_host"
    ORIGIN_REFUSED = "malicious_cors"
    CSRF_REFUSED = "malicious_csrf"
    EVENT_REFUSED = "malicious_event"
    RATE_EXCEEDED = "excess_rate_limit_exceeded"


class Level(StrEnum):
    """How important an event is, in the words of the vocabulary and of our log lines."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


_INFO: Final = frozenset(
    {
        AuditEvent.LOGIN_SUCCESS,
        AuditEvent.REAUTHENTICATED,
        AuditEvent.PASSWORD_CHANGED,
        AuditEvent.SESSION_CREATED,
        AuditEvent.SESSION_RENEWED,
        AuditEvent.SESSION_ENDED,
    }
)
_CRITICAL: Final = frozenset(
    {
        AuditEvent.PASSWORD_CHANGE_FAIL,
        AuditEvent.TOKEN_REUSE,
        AuditEvent.USE_AFTER_END,
        AuditEvent.ACCESS_REFUSED,
        AuditEvent.DIRECT_REFERENCE,
        AuditEvent.ORIGIN_REFUSED,
        AuditEvent.CSRF_REFUSED,
        AuditEvent.EVENT_REFUSED,
    }
)


def level_of(event: AuditEvent) -> Level:
    """Return the level of an event, as in the vocabulary."""
    if event in _INFO:
        return Level.INFO
    return Level.CRITICAL if event in _CRITICAL else Level.WARNING


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened.

    Attributes:
        event: what happened.
        at: when, in Unix seconds on the store's clock.
        user: the owner of the account it is about; empty if not known.
        sid: the id of the session it is about; empty if there is none.
        ip: the address the request came from; empty if there was no request.
        device: what its browser said about itself; empty in the same case.
        actor: the administrator, or the command line, that acted; empty for anybody else.
        facts: further facts. Never a secret.
    """

    event: AuditEvent
    at: float
    user: str = ""
    sid: str = ""
    ip: str = ""
    device: str = ""
    actor: str = ""
    facts: Mapping[str, str | float] = field(default_factory=dict)


_FROM_STRANGERS: Final = frozenset(
    {
        AuditEvent.LOGIN_THROTTLED,
        AuditEvent.USE_AFTER_END,
        AuditEvent.DECRYPT_FAIL,
        AuditEvent.CHALLENGE_REFUSED,
        AuditEvent.COOKIE_REFUSED,
        AuditEvent.HOST_REFUSED,
        AuditEvent.ORIGIN_REFUSED,
        AuditEvent.EVENT_REFUSED,
        AuditEvent.RATE_EXCEEDED,
    }
)
"""Events that anybody can cause at no cost, with any user name."""


def kind_of_line(entry: AuditEntry) -> str:
    """Return which rate limit a line counts for: its event's, or its event's and user's.

    Where strangers can name any user at no cost, the user makes no difference. The user of a
    failed sign-in does, though nothing proves it: a try waits for a password hash, and the user
    is what an investigation asks for first.
    """
    if entry.event in _FROM_STRANGERS or not entry.user:
        return entry.event.value
    return f"{entry.event.value} {entry.user}"


class Record(Protocol):
    """The function by which the engine records events, without importing the audit trail."""

    def __call__(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        device: str = "",
        **facts: str | float,
    ) -> None:
        """Record an event. Return at once and never raise: no action depends on its record."""


def truncate(text: str) -> str:
    """Shorten a text that a client may have chosen to at most `MAX_FACT` characters."""
    return text if len(text) <= MAX_FACT else text[: MAX_FACT - 1] + "…"
