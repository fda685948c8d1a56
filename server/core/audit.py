"""What is worth remembering for whoever looks into an attack: names and entries. Nothing acts here.

The names are those of the OWASP Logging Vocabulary where it has one, so that rules that people
already have for their logs match ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AuditEvent(StrEnum):
    """What happened."""

    LOGIN_SUCCESS = "authn_login_success"
    LOGIN_FAIL = "authn_login_fail"
    LOGIN_THROTTLED = "authn_login_throttled"
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
    SESSION_CREATED = "session_created"
    SESSION_RENEWED = "session_renewed"
    SESSION_ENDED = "session_ended"
    USE_AFTER_END = "session_use_after_expire"
    ACCESS_REFUSED = "authz_fail"
    ADMIN_ACT = "authz_admin"
    DECRYPT_FAIL = "crypt_decrypt_fail"
    COOKIE_REFUSED = "malicious_cookie"
    ORIGIN_REFUSED = "malicious_cors"
    CSRF_REFUSED = "malicious_csrf"
    EVENT_REFUSED = "malicious_event"
    RATE_EXCEEDED = "excess_rate_limit_exceeded"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened.

    Attributes:
        event: what.
        at: when, in Unix seconds on the store's clock.
        user: whose account it concerns; empty where none is known.
        sid: the session it concerns; empty without one.
        ip: where the request came from; empty where there was none.
        facts: further facts. Never a secret.
    """

    event: AuditEvent
    at: float
    user: str = ""
    sid: str = ""
    ip: str = ""
    facts: Mapping[str, str | float] = field(default_factory=dict)
