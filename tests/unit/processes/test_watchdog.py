"""A worker hangs when it shows no heartbeat while its parent saw the time pass."""

import pytest

from server.processes.watchdog import BEAT_SECONDS, Watchdog

ONE, TWO = 101, 102
LIMIT = 10.0


class Clock:
    """A monotonic clock that moves when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Watchdog:
    return Watchdog(LIMIT, clock)


def seconds_until_it_hangs(watchdog: Watchdog, clock: Clock, step: float = BEAT_SECONDS) -> float:
    """Look again and again at one worker that beats and one that does not."""
    began = clock.now
    for beat in range(10_000):
        hanging = watchdog.look({ONE: beat % 256, TWO: 0})
        if hanging:
            assert hanging == [TWO]
            return clock.now - began
        clock.now += step
    raise AssertionError("it never hangs")


def test_silence_is_noticed_within_the_limit(watchdog: Watchdog, clock: Clock) -> None:
    assert seconds_until_it_hangs(watchdog, clock) == LIMIT


def test_looking_more_often_makes_no_difference(watchdog: Watchdog, clock: Clock) -> None:
    assert seconds_until_it_hangs(watchdog, clock, step=0.125) == LIMIT


def test_a_machine_that_was_suspended_kills_nobody(watchdog: Watchdog, clock: Clock) -> None:
    assert watchdog.look({ONE: 1, TWO: 1}) == []
    clock.now += 3600
    assert watchdog.look({ONE: 1, TWO: 1}) == []
    clock.now += BEAT_SECONDS
    assert watchdog.look({ONE: 2, TWO: 2}) == []


def test_one_heartbeat_ends_the_silence(watchdog: Watchdog, clock: Clock) -> None:
    for beat in [0] * 9 + [1] * 9:
        assert watchdog.look({ONE: beat}) == []
        clock.now += BEAT_SECONDS


def test_a_new_process_in_the_same_place_begins_anew(watchdog: Watchdog, clock: Clock) -> None:
    seconds_until_it_hangs(watchdog, clock)
    assert watchdog.look({ONE: 0, 103: 0}) == []
    clock.now += BEAT_SECONDS
    assert watchdog.look({ONE: 1, 103: 0}) == []


def test_without_a_limit_nobody_hangs_and_nobody_looks(clock: Clock) -> None:
    watchdog = Watchdog(None, clock)
    for _ in range(100):
        assert watchdog.look({ONE: 0}) == []
        clock.now += BEAT_SECONDS
    assert watchdog.seconds_left is None


def test_it_looks_as_often_as_hearts_beat(watchdog: Watchdog) -> None:
    assert watchdog.seconds_left == BEAT_SECONDS
