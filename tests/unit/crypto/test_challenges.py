"""Challenges: sealed, for one use each, for five minutes, never the same."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.crypto.challenges import LIFETIME_SECONDS, Challenges, Use, from_text, to_text
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer

NEWER, OLDER = (hashlib.sha256(name).digest() for name in (b"newer", b"older"))


def challenges(*secrets: bytes, now: Callable[[], float] = lambda: 1000.0) -> Challenges:
    return Challenges(Sealer(Keyring.from_secrets(secrets or (NEWER,))), now, str)


def test_a_challenge_gives_back_what_was_sealed() -> None:
    box = challenges().make(Use.TOTP_SETUP, {"user": "ada", "number": 7})
    opened = challenges().open(Use.TOTP_SETUP, from_text(to_text(box)))
    assert opened is not None
    assert (opened.text("user"), opened.facts["number"], opened.text("none")) == ("ada", 7, "")
    assert opened.seconds_left == LIFETIME_SECONDS
    assert b"ada" not in box


@pytest.mark.parametrize(("now", "is_good"), [(1299.9, True), (1300.0, False), (9999.0, False)])
def test_a_challenge_lasts_five_minutes(now: float, *, is_good: bool) -> None:
    box = challenges().make(Use.NEW_PASSKEY, {})
    opened = challenges(now=lambda: now).open(Use.NEW_PASSKEY, box)
    assert (opened is not None) is is_good


def test_a_challenge_of_one_use_is_none_of_another() -> None:
    for made in Use:
        box = challenges().make(made, {})
        assert [use for use in Use if challenges().open(use, box)] == [made]


@pytest.mark.proves("6.7.2")
def test_no_two_challenges_are_the_same() -> None:
    desk = challenges()
    boxes = [desk.make(Use.NEW_PASSKEY, {}) for _ in range(1000)]
    opened = [desk.open(Use.NEW_PASSKEY, box) for box in boxes]
    assert len({box[5:29] for box in boxes}) == 1000  # the random nonce
    assert len({each.id for each in opened if each}) == 1000


def test_a_challenge_outlives_the_retirement_of_its_key_and_not_its_removal() -> None:
    box = challenges(OLDER).make(Use.NEW_PASSKEY, {})
    assert challenges(NEWER, OLDER).open(Use.NEW_PASSKEY, box)
    assert challenges(NEWER).open(Use.NEW_PASSKEY, box) is None


@given(st.text())
def test_any_other_text_opens_nothing(text: str) -> None:
    assert challenges().open(Use.SECOND_FACTOR_OWED, from_text(text)) is None


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_challenge_opens_nothing(place: int, change: int) -> None:
    box = bytearray(challenges().make(Use.SECOND_FACTOR_OWED, {"user": "ada"}))
    box[place % len(box)] ^= change
    assert challenges().open(Use.SECOND_FACTOR_OWED, bytes(box)) is None
