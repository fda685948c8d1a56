"""Why there is no session: one word for each reason, which clients compare."""

from server.core.reasons import UNAUTHENTICATED, NoSession, Reason


def test_the_words_are_those_of_the_protocol() -> None:
    assert {each.value for each in Reason} == {
        *("logout", "terminated", "admin", "credential_changed", "account_disabled"),
        *("account_deleted", "account_renamed"),
        *("session_limit", "token_reuse", "idle_timeout", "absolute_timeout", "superseded"),
    }


def test_an_ended_session_has_the_word_of_its_reason() -> None:
    assert NoSession(Reason.LOGOUT, "e1", 5.0).word == "logout"


def test_an_unknown_session_has_a_word_of_its_own() -> None:
    assert NoSession().word == UNAUTHENTICATED == "unauthenticated"


def test_an_end_is_the_same_for_who_caused_it_and_who_comes_later() -> None:
    assert NoSession(Reason.TOKEN_REUSE, "e1", 5.0, just_ended=True) == NoSession(
        Reason.TOKEN_REUSE, "e1", 5.0
    )
    assert NoSession(Reason.LOGOUT, "e1", 5.0) != NoSession(Reason.LOGOUT, "e2", 5.0)
