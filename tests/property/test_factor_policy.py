"""Whatever is typed at whatever moments, no code works twice and guesses stay rare."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from server.core.factor_policy import FREE_WRONG_CODES, Proved, judge_code
from server.core.factors import Factors, Method, Totp
from server.core.one_time_codes import hash_recovery_codes, recovery_code

START = 3_000_000.0
RECOVERY = tuple(recovery_code(bytes([number]) * 15) for number in range(3))
FACTORS = Factors("", Totp("S", 0, 0.0), (), hash_recovery_codes(RECOVERY, bytes(32)))

acts = st.lists(
    st.tuples(
        st.floats(0, 90),
        st.one_of(st.integers(-3, 3), st.sampled_from(RECOVERY), st.text(max_size=8)),
    ),
    max_size=40,
)


def codes(_: str, steps: Iterable[int]) -> dict[int, str]:
    return {step: f"{step % 1_000_000:06d}" for step in steps}


def typed(what: int | str, now: float) -> str:
    """A code so many steps from now, or the text itself."""
    return f"{int(now // 30) + what:06d}" if isinstance(what, int) else what


@given(acts)
def test_no_code_is_right_twice_and_steps_only_go_up(
    history: list[tuple[float, int | str]],
) -> None:
    factors, now, used = FACTORS, START, set[str]()
    for pause, what in history:
        now += pause
        code = typed(what, now)
        judged = judge_code(factors, codes, code, now)
        if isinstance(judged.outcome, Proved):
            assert code not in used
            used.add(code)
        assert judged.factors.totp is not None
        assert factors.totp is not None
        assert judged.factors.totp.last_step >= factors.totp.last_step
        assert judged.factors.recovery_codes_left <= factors.recovery_codes_left
        factors = judged.factors


@given(st.lists(st.floats(0, 1800), min_size=1, max_size=300))
def test_whoever_guesses_has_no_more_tries_than_the_waits_allow(pauses: list[float]) -> None:
    factors, now, tries = FACTORS, START, 0
    for pause in pauses:
        now += pause
        judged = judge_code(factors, codes, "999999", now)
        tries += judged.factors.wrong_codes - factors.wrong_codes
        factors = judged.factors
    doubled = 7  # waits of 30, 60 … 1920 seconds before the longest
    assert tries <= FREE_WRONG_CODES + doubled + (now - START) / 3600 + 1


@given(st.text())
def test_a_text_is_right_only_if_it_is_a_code(text: str) -> None:
    outcome = judge_code(FACTORS, codes, text, START).outcome
    if isinstance(outcome, Proved):
        assert outcome.method in {Method.TOTP, Method.RECOVERY_CODE}
        bare = "".join(text.split()).replace("-", "").lower()
        assert bare in {each.replace("-", "") for each in RECOVERY} | {"099999", "100000", "100001"}
