"""The words of the pages: chosen by language and by number, filled in to the letter."""

from pathlib import Path

import pytest

from handlers.languages.texts import (
    ENGLISH,
    LANGUAGES,
    Language,
    load_language,
    negotiate,
    reason_sentence,
)
from server.core.reasons import Reason

TABS = {"none": "no tab", "one": "{count} tab", "other": "{count} tabs"}


@pytest.fixture
def language() -> Language:
    return Language("xx", {"a.tabs": TABS, "a.name": "Hello {name}!", "b.plain": "Good night."})


def test_a_file_is_read_as_keys_with_dots_and_forms_that_count(tmp_path: Path) -> None:
    path = tmp_path / "fr.toml"
    path.write_text(
        '[a]\nx = "é"\n[a.b-c]\ny = { one = "1", other = "{count}" }\n', encoding="utf-8"
    )
    language = load_language(path)
    assert language.code == "fr"
    assert language.texts == {"a.x": "é", "a.b-c.y": {"one": "1", "other": "{count}"}}


@pytest.mark.parametrize(
    ("count", "told"), [(0, "no tab"), (1, "1 tab"), (2, "2 tabs"), (11, "11 tabs")]
)
def test_a_text_that_counts_has_the_form_of_its_number(
    language: Language, count: int, told: str
) -> None:
    assert language.text("a.tabs", count=count) == told


def test_zero_is_like_many_where_it_has_no_form_of_its_own(language: Language) -> None:
    without = Language("xx", {"a.tabs": {"one": "{count} tab", "other": "{count} tabs"}})
    assert without.text("a.tabs", count=0) == "0 tabs"
    assert language.text("a.tabs", count=0) == "no tab"


def test_what_is_filled_in_is_taken_to_the_letter(language: Language) -> None:
    assert language.text("a.name", name="{name} <b>") == "Hello {name} <b>!"
    with pytest.raises(KeyError):
        language.text("a.name")
    with pytest.raises(KeyError):
        language.text("a.nothing")


def test_a_sentence_can_be_parted_where_markup_goes(language: Language) -> None:
    assert language.around("a.name", "name") == ("Hello ", "!")


def test_scripts_get_whole_sections(language: Language) -> None:
    assert language.sections("a") == {"a.tabs": TABS, "a.name": "Hello {name}!"}


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("de;q=0.5,en;q=0.7", "en"),
        ("de ; q=0.7 , en;q=0.5", "de"),
        ("de;q=0.2,en;q=0.3,de-CH;q=0.9", "de"),
        ("fr,it;q=0.8", "en"),
        ("fr,de;q=0.1", "de"),
        ("de;q=0", "en"),
        ("de;q=0,fr", "en"),
        ("*", "en"),
        ("de;q=2", "en"),
        ("de;q=-1", "en"),
        ("de;q=nan", "en"),
        ("../de", "en"),
        ("de\x00", "en"),
        ("de_DE", "en"),
        (",,;;,de", "de"),
        ("x" * 60_000, "en"),
        ("-" * 60_000 + ",de", "de"),
        ("fr," * 31 + "de", "de"),
        ("fr," * 32 + "de", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_wants_most(accepted: str, code: str) -> None:
    assert negotiate(accepted) is LANGUAGES[code]


def test_every_reason_is_told_in_a_sentence_of_its_own() -> None:
    for language in LANGUAGES.values():
        told = {language.text(f"reason.{reason}") for reason in Reason}
        assert len(told) == len(Reason)
        assert all(each.endswith(".") for each in told)
    assert reason_sentence(Reason.LOGOUT) == ENGLISH.text("reason.logout") == "You logged out."
