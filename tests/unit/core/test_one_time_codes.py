"""The codes that people type: when they are right, by RFC 6238 and the demands of ASVS 6.5."""

import os

import pytest

from server.core.one_time_codes import (
    RECOVERY_CODE_BYTES,
    hash_recovery_codes,
    is_totp_code,
    matching_step,
    recovery_code,
    steps_around,
    without_code,
)

KEY = bytes(range(32))


@pytest.mark.proves("6.5.5")
@pytest.mark.parametrize(("moment", "steps"), [(0.0, [0, 1]), (29.9, [0, 1]), (90.0, [2, 3, 4])])
def test_a_code_is_good_in_its_step_of_30_seconds_and_one_before_and_after(
    moment: float, steps: list[int]
) -> None:
    assert list(steps_around(moment)) == steps


def test_of_two_steps_with_the_same_code_the_later_is_used_up() -> None:
    assert matching_step({1: "111111", 2: "111111"}, "111111") == 2
    assert matching_step({1: "111111", 2: "222222"}, "111111", after=1) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("123456", True),
        (" 123 456 ", True),
        ("123-456", True),
        ("123\N{EN DASH}456\N{NO-BREAK SPACE}", True),
        ("\N{ZERO WIDTH NO-BREAK SPACE}123456\N{LEFT-TO-RIGHT MARK}", True),
        ("12345", False),
        ("1234567", False),
        ("\N{ARABIC-INDIC DIGIT ONE}23456", False),
        ("\N{FULLWIDTH DIGIT ONE}23456", False),
        ("12345\N{SUPERSCRIPT TWO}", False),
        ("\ud800", False),
        ("", False),
    ],
)
def test_an_apps_code_is_six_ascii_digits_however_they_are_grouped(text: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_totp_code(text) is is_one
    assert (matching_step({1: "123456"}, text) == 1) is is_one


@pytest.mark.proves("6.5.2", "6.5.4")
def test_recovery_codes_have_120_bits_in_groups_that_one_can_read() -> None:
    assert RECOVERY_CODE_BYTES * 8 >= 112
    assert recovery_code(b"\x00" * 15) == "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa"
    assert recovery_code(b"\xff" * 15) == "7777-7777-7777-7777-7777-7777"
    codes = {recovery_code(os.urandom(RECOVERY_CODE_BYTES)) for _ in range(1000)}
    assert len(codes) == 1000
    assert not set("".join(codes)) & set("0189")


@pytest.mark.proves("6.5.2")
def test_what_is_kept_of_recovery_codes_shows_none_of_them() -> None:
    codes = [recovery_code(bytes([number]) * 15) for number in range(3)]
    kept = hash_recovery_codes(codes, KEY)
    assert len(set(kept.hashes)) == 3
    assert not any(code in repr(kept) or code in str(kept.hashes) for code in codes)
    assert hash_recovery_codes(codes, bytes(32)).hashes != kept.hashes


@pytest.mark.parametrize("typed", ["{}", " {} ", "\u200b{}\u3000", "upper", "bare", "dashes"])
def test_a_recovery_code_is_taken_as_people_type_it_and_once(typed: str) -> None:
    codes = [recovery_code(bytes([number]) * 15) for number in range(3)]
    given = {
        "upper": codes[1].upper(),
        "bare": codes[1].replace("-", ""),
        "dashes": codes[1].replace("-", "\N{EM DASH}"),
    }.get(typed, typed.format(codes[1]))
    left = without_code(hash_recovery_codes(codes, KEY), given)
    assert left == hash_recovery_codes([codes[0], codes[2]], KEY)
    assert without_code(left, given) is None


@pytest.mark.parametrize("typed", ["", "-", "aaaa", "\ud800", "\N{KELVIN SIGN}" * 24, "a" * 10**6])
def test_what_is_no_recovery_code_uses_none_up(typed: str) -> None:
    assert without_code(hash_recovery_codes([recovery_code(b"\x01" * 15)], KEY), typed) is None
