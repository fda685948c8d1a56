"""The events of the audit trail: their levels, what shares a rate limit, how long a fact may be."""

import pytest

from server.core.audit import (
    MAX_FACT,
    AuditEntry,
    AuditEvent,
    Level,
    kind_of_line,
    level_of,
    truncate,
)

FROM_STRANGERS = {
    *("authn_login_fail_max", "session_use_after_expire", "crypt_decrypt_fail"),
    *("malicious_challenge", "malicious_cookie", "malicious_host", "malicious_cors"),
    *("malicious_event", "excess_rate_limit_exceeded"),
}


def entry(event: AuditEvent, user: str) -> AuditEntry:
    """Make an entry of this event about this user."""
    return AuditEntry(event=event, at=0.0, user=user)


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (AuditEvent.LOGIN_SUCCESS, Level.INFO),
        (AuditEvent.SESSION_ENDED, Level.INFO),
        (AuditEvent.LOGIN_FAIL, Level.WARNING),
        (AuditEvent.ADMIN_ACT, Level.WARNING),
        (AuditEvent.FACTOR_REMOVED, Level.WARNING),
        (AuditEvent.TOKEN_REUSE, Level.CRITICAL),
        (AuditEvent.ACCESS_REFUSED, Level.CRITICAL),
        (AuditEvent.EVENT_REFUSED, Level.CRITICAL),
    ],
)
def test_an_event_has_the_level_of_the_vocabulary(event: AuditEvent, level: Level) -> None:
    assert level_of(event) is level


def test_an_attack_is_never_information() -> None:
    named = [each for each in AuditEvent if each.value.startswith(("malicious_", "excess_"))]
    assert named
    assert {level_of(each) for each in named} <= {Level.WARNING, Level.CRITICAL}


@pytest.mark.parametrize("event", AuditEvent)
def test_lines_share_a_limit_per_user_unless_strangers_can_name_any_user(event: AuditEvent) -> None:
    ann, bob = kind_of_line(entry(event, "ann")), kind_of_line(entry(event, "bob"))
    assert (ann == bob) is (event.value in FROM_STRANGERS)
    assert ann.startswith(event.value)


def test_without_a_user_the_event_alone_decides() -> None:
    assert kind_of_line(entry(AuditEvent.LOGIN_FAIL, "")) == "authn_login_fail"


def test_a_fact_is_shortened_to_its_most_characters_and_shows_it() -> None:
    assert truncate("a" * MAX_FACT) == "a" * MAX_FACT
    assert truncate("a" * (MAX_FACT + 1)) == "a" * (MAX_FACT - 1) + "…"
    assert len(truncate("a" * 10_000)) == MAX_FACT
