"""Recent activity in words: every event in every language, and what is left out."""

import pytest

from handlers.languages.texts import ENGLISH, LANGUAGES, Language
from handlers.pages.activity import activity_line
from server.core.activity import SHOWN, ActivityEntry
from server.core.audit import AuditEvent
from server.core.reasons import Reason

FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def entry(
    event: AuditEvent = AuditEvent.LOGIN_SUCCESS,
    detail: str = "",
    count: int = 1,
    *,
    ip: str = "192.0.2.1",
    device: str = FIREFOX,
    administrator: bool = False,
) -> ActivityEntry:
    """Return an entry of an account's list."""
    return ActivityEntry(event, 2.0, 1.0, count, detail, ip, device, administrator)


def test_a_line_says_what_where_and_when() -> None:
    line = activity_line(entry(), ENGLISH)
    assert (line.what, line.times, line.at) == ("Signed in", "", 2.0)
    assert line.where == "Firefox on Ubuntu, 192.0.2.1"


def test_a_line_is_in_the_language_of_the_reader() -> None:
    line = activity_line(entry(count=2), LANGUAGES["de"])
    assert line.where == "Firefox auf Ubuntu, 192.0.2.1"
    assert line.what == LANGUAGES["de"].text("activity.authn_login_success")
    assert line.times == LANGUAGES["de"].text("activity.times", count=2)


def test_how_often_is_said_from_twice_on() -> None:
    assert not activity_line(entry(count=1), ENGLISH).times
    assert activity_line(entry(count=2), ENGLISH).times == "2 times"


def test_where_says_only_what_is_known() -> None:
    assert activity_line(entry(device=""), ENGLISH).where == "192.0.2.1"
    assert activity_line(entry(ip=""), ENGLISH).where == "Firefox on Ubuntu"
    assert not activity_line(entry(ip="", device=""), ENGLISH).where


def test_of_an_administrator_it_says_no_more_than_that() -> None:
    line = activity_line(entry(administrator=True), ENGLISH)
    assert line.where == "by an administrator"


@pytest.mark.parametrize("reason", Reason)
def test_an_end_has_its_own_sentence_for_each_reason(reason: Reason) -> None:
    what = activity_line(entry(AuditEvent.SESSION_ENDED, reason), ENGLISH).what
    assert what == ENGLISH.text(f"activity.session_expired.{reason}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("disabled", "Account disabled"),
        ("enabled", "Account enabled again"),
        ("renamed", "Account changed"),
        ("", "Account changed"),
    ],
)
def test_a_change_of_the_account_has_a_sentence_also_if_it_is_not_known(
    change: str, sentence: str
) -> None:
    assert activity_line(entry(AuditEvent.USER_UPDATED, change), ENGLISH).what == sentence


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("event", sorted(SHOWN))
def test_every_shown_event_has_words(language: Language, event: AuditEvent) -> None:
    detail = Reason.LOGOUT if event is AuditEvent.SESSION_ENDED else ""
    assert activity_line(entry(event, detail), language).what
