"""What makes a presented second factor good, row by row."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from server.core.factor_policy import (
    FREE_WRONG_CODES,
    LONGEST_WAIT_SECONDS,
    Flaw,
    Judged,
    Proved,
    TooManyTries,
    Wrong,
    judge_code,
    judge_passkey,
    seconds_to_wait,
)
from server.core.factors import Factors, Method, Passkey, Totp, without_passkey
from server.core.one_time_codes import hash_recovery_codes, recovery_code

NOW = 3_000_000.0
STEP = 100_000
CODES = tuple(recovery_code(bytes([number]) * 15) for number in range(3))
HANDLE = "00" + "A" * 22
TOTP = Totp(secret="S", last_step=0, added_at=1.0)
KEY = Passkey("id", "key", "example.org", 5, "phone", 1.0)
BOTH = Factors(HANDLE, TOTP, (KEY,), hash_recovery_codes(CODES, bytes(32)))


def codes(secret: str, steps: Iterable[int]) -> dict[int, str]:
    """Codes that tell their step."""
    assert secret == "S"
    return {step: f"{step:06d}" for step in steps}


def judge(factors: Factors, code: str, now: float = NOW) -> Judged:
    return judge_code(factors, codes, code, now)


@pytest.mark.parametrize("step", [STEP - 1, STEP, STEP + 1])
def test_a_code_of_this_step_or_a_neighbour_is_right_and_used_up(step: int) -> None:
    judged = judge(BOTH, f"{step:06d}")
    assert judged.outcome == Proved(Method.TOTP)
    assert judged.factors == replace(BOTH, totp=replace(TOTP, last_step=step))


@pytest.mark.parametrize("step", [STEP - 2, STEP + 2, 0])
def test_a_code_of_another_step_is_wrong_and_counted(step: int) -> None:
    judged = judge(BOTH, f"{step:06d}")
    assert judged.outcome == Wrong(Flaw.CODE)
    assert judged.factors == replace(BOTH, wrong_codes=1, wrong_code_at=NOW)


@pytest.mark.proves("6.5.1")
@pytest.mark.parametrize("again", [STEP - 1, STEP])
def test_a_used_code_and_older_ones_are_refused(again: int) -> None:
    used = judge(BOTH, f"{STEP:06d}").factors
    assert judge(used, f"{again:06d}").outcome == Wrong(Flaw.CODE)
    assert judge(used, f"{STEP + 1:06d}").outcome == Proved(Method.TOTP)


def test_without_an_app_every_code_is_wrong() -> None:
    assert judge(replace(BOTH, totp=None), f"{STEP:06d}").outcome == Wrong(Flaw.CODE)


def test_after_five_wrong_codes_even_the_right_one_must_wait_and_the_wait_doubles() -> None:
    factors, now = BOTH, NOW
    for _ in range(FREE_WRONG_CODES):
        assert seconds_to_wait(factors, now) == 0
        factors = judge(factors, "000000", now).factors
    for wait in (30.0, 60.0, 120.0):
        judged = judge(factors, f"{int(now // 30):06d}", now)
        assert judged == Judged(factors, TooManyTries(wait))
        now += wait
        factors = judge(factors, "000000", now).factors


def test_the_wait_is_bounded_and_a_right_code_ends_the_row() -> None:
    factors = replace(BOTH, wrong_codes=10**9, wrong_code_at=NOW)
    assert seconds_to_wait(factors, NOW) == LONGEST_WAIT_SECONDS
    later = NOW + LONGEST_WAIT_SECONDS
    assert judge(factors, f"{int(later // 30):06d}", later).factors.wrong_codes == 0


@pytest.mark.proves("6.5.1")
def test_a_recovery_code_is_right_once_and_does_not_wait() -> None:
    waiting = replace(BOTH, wrong_codes=50, wrong_code_at=NOW)
    judged = judge(waiting, CODES[1])
    assert judged.outcome == Proved(Method.RECOVERY_CODE)
    assert judged.factors.recovery_codes_left == 2
    assert judge(judged.factors, CODES[1]) == Judged(judged.factors, Wrong(Flaw.RECOVERY_CODE))


@pytest.mark.parametrize("given", ["", "aaaa", CODES[0] + "a"])
def test_a_wrong_recovery_code_changes_nothing(given: str) -> None:
    assert judge(BOTH, given) == Judged(BOTH, Wrong(Flaw.RECOVERY_CODE))
    assert judge(Factors(), given) == Judged(Factors(), Wrong(Flaw.RECOVERY_CODE))


@pytest.mark.parametrize(("kept", "shown"), [(5, 6), (5, 900), (0, 0), (0, 1)])
def test_a_passkey_whose_counter_goes_up_or_does_not_count_is_right(kept: int, shown: int) -> None:
    factors = replace(BOTH, passkeys=(replace(KEY, sign_count=kept),))
    judged = judge_passkey(factors, "id", shown, NOW)
    assert judged.outcome == Proved(Method.PASSKEY)
    assert judged.factors.passkeys == (replace(KEY, sign_count=shown, last_used_at=NOW),)


@pytest.mark.parametrize("shown", [5, 4, 0])
def test_a_passkey_whose_counter_does_not_go_up_is_a_copy(shown: int) -> None:
    assert judge_passkey(BOTH, "id", shown, NOW) == Judged(BOTH, Wrong(Flaw.SIGN_COUNT))


def test_a_removed_passkey_is_refused() -> None:
    assert judge_passkey(without_passkey(BOTH, "id"), "id", 6, NOW).outcome == Wrong(Flaw.PASSKEY)
