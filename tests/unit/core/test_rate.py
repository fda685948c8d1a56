"""A rate lets through its burst at once, its pace for ever, and never more."""

from hypothesis import given
from hypothesis import strategies as st

from server.core.rate import Rate

rates = st.builds(Rate, per_second=st.floats(0.1, 1000), burst=st.integers(1, 300))


def taken(rate: Rate, moments: list[float]) -> list[float]:
    """The moments at which a token was got."""
    full_at, got = 0.0, []
    for now in moments:
        then = rate.take(full_at, now)
        if then is not None:
            full_at = then
            got.append(now)
    return got


@given(rates, st.floats(0, 1e7))
def test_a_full_bucket_holds_exactly_its_burst(rate: Rate, now: float) -> None:
    assert len(taken(rate, [now] * (rate.burst + 5))) == rate.burst


@given(rates, st.lists(st.floats(0, 5), max_size=200))
def test_no_stretch_of_time_sees_more_than_burst_and_pace(rate: Rate, gaps: list[float]) -> None:
    moments = [sum(gaps[:count]) for count in range(len(gaps))]
    got = taken(rate, moments)
    for first, start in enumerate(got):
        for last, end in enumerate(got[first:], first):
            allowed = rate.burst + (end - start) * rate.per_second
            assert last - first + 1 <= allowed + 1.001


@given(rates)
def test_whoever_keeps_the_pace_is_never_refused(rate: Rate) -> None:
    moments = [number / rate.per_second * 1.001 for number in range(500)]
    assert taken(rate, moments) == moments


def test_an_empty_bucket_fills_again() -> None:
    rate = Rate(per_second=2, burst=4)
    assert len(taken(rate, [0.0] * 9 + [1.0] * 9)) == 4 + 2
    assert len(taken(rate, [0.0] * 9 + [100.0] * 9)) == 4 + 4


@given(rates, st.floats(0, 1e6))
def test_it_says_from_when_on_there_is_a_token_again(rate: Rate, now: float) -> None:
    full_at = 0.0
    while (then := rate.take(full_at, now)) is not None:
        full_at = then
    at = rate.next_at(full_at)
    assert now <= at <= now + 1 / rate.per_second + 1e-6
    assert rate.take(full_at, at - 0.1 / rate.per_second) is None
    assert rate.take(full_at, at + 0.1 / rate.per_second) is not None
