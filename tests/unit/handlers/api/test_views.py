"""What programs see of sessions, activity and second factors: all of use, and nothing secret."""

from dataclasses import replace
from datetime import timedelta

from handlers.api.views import activity_view, factors_view, list_view, session_view, signed_in_view
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.factors import Factors, Passkey, RecoveryCodes, Totp
from server.core.session import Device, Rules, Session
from server.store.contract import ListedSession

RULES = Rules(idle_timeout=timedelta(seconds=100), absolute_timeout=timedelta(seconds=1000))
SEED = b"the seed, which is a secret only"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36"
SESSION = Session(
    sid="sid",
    user="anna",
    seed=SEED,
    created_at=10.0,
    authenticated_at=20.0,
    last_active_at=30.0,
    current_since=30.0,
    generation=4,
    device=Device(CHROME, "192.0.2.1"),
    data={"note": "the data, which is private"},
)


def test_a_session_is_shown_with_both_of_its_deadlines() -> None:
    assert session_view(SESSION, RULES) == {
        "id": "sid",
        "user": "anna",
        "generation": 4,
        "created_at": 10.0,
        "authenticated_at": 20.0,
        "last_active_at": 30.0,
        "idle_expires_at": 130.0,
        "absolute_expires_at": 1010.0,
    }


def test_an_answer_to_a_sign_in_has_the_session_and_its_csrf_token() -> None:
    view = signed_in_view(SESSION, RULES, "a-token")
    assert view == {"session": session_view(SESSION, RULES), "csrf_token": "a-token"}


def test_a_list_says_which_session_asks() -> None:
    other = replace(SESSION, sid="other")
    view = list_view([ListedSession(SESSION, 2), ListedSession(other, 0)], "other")
    assert view == {
        "sessions": [
            {
                "id": sid,
                "current": sid == "other",
                "device": "Chrome on Linux",
                "ip": "192.0.2.1",
                "created_at": 10.0,
                "last_active_at": 30.0,
                "sockets": sockets,
            }
            for sid, sockets in (("sid", 2), ("other", 0))
        ]
    }


def test_no_list_shows_seed_or_data() -> None:
    shown = str(list_view([ListedSession(SESSION, 1)], "sid")) + str(session_view(SESSION, RULES))
    assert "secret" not in shown
    assert "private" not in shown


def test_activity_is_shown_whole_and_what_is_unknown_as_null() -> None:
    known = ActivityEntry(
        AuditEvent.FACTOR_ADDED, 2.0, 1.0, 3, "totp", "192.0.2.1", CHROME, administrator=True
    )
    assert activity_view(known) == {
        "event": "authn_factor_added",
        "detail": "totp",
        "at": 2.0,
        "since": 1.0,
        "count": 3,
        "device": "Chrome on Linux",
        "ip": "192.0.2.1",
        "administrator": True,
    }
    unknown = activity_view(ActivityEntry(AuditEvent.LOGIN_FAIL, 2.0, 2.0))
    assert (unknown["detail"], unknown["device"], unknown["ip"]) == (None, None, None)


def test_second_factors_are_shown_without_what_proves_them() -> None:
    factors = Factors(
        totp=Totp("SECRET", 1, 5.0),
        passkeys=(Passkey("id", "SECRET", "curfew.example", 9, "key", 6.0),),
        recovery=RecoveryCodes("SECRET", ("SECRET", "SECRET")),
    )
    view = factors_view(factors)
    assert view == {
        "totp": {"added_at": 5.0},
        "passkeys": [
            {
                "id": "id",
                "name": "key",
                "site": "curfew.example",
                "added_at": 6.0,
                "last_used_at": None,
            }
        ],
        "recovery_codes_left": 2,
    }


def test_an_account_without_second_factors_has_none() -> None:
    assert factors_view(Factors()) == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
