"""How often somebody may open a socket; how many is tried on real ones."""

from dataclasses import replace

from server.core.limits import Limits
from server.core.rate import Rate
from server.core.session import Session
from server.realtime.hub import Hub
from server.realtime.socket_admission import TIDY_FROM, TOO_OFTEN, SocketAdmission

ADA = Session(
    sid="00" + "A" * 22,
    user="ada",
    seed=bytes(32),
    created_at=0.0,
    authenticated_at=0.0,
    last_active_at=0.0,
    current_since=0.0,
)
LIMITS = Limits(openings=Rate(per_second=1, burst=3))


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def admission(clock: Clock) -> SocketAdmission:
    """Return the admission of a process without sockets."""
    return SocketAdmission(Hub(), clock)


def test_openings_are_counted_for_the_user_over_all_sessions() -> None:
    one = admission(Clock())
    sessions = [replace(ADA, sid=f"00{number:022}") for number in range(4)]
    assert [one.refusal(each, LIMITS) for each in sessions] == [None, None, None, TOO_OFTEN]
    assert one.refusal(replace(ADA, user="ben"), LIMITS) is None


def test_visitors_are_counted_by_session() -> None:
    one = admission(Clock())
    visitor, other = replace(ADA, user=None), replace(ADA, user=None, sid="00" + "B" * 22)
    assert [one.refusal(visitor, LIMITS) for _ in range(4)][3] == TOO_OFTEN
    assert one.refusal(other, LIMITS) is None


def test_who_waits_may_come_again() -> None:
    clock = Clock()
    one = admission(clock)
    for _ in range(9):
        one.refusal(ADA, LIMITS)
    clock.now = 1.0
    assert [one.refusal(ADA, LIMITS) for _ in range(2)] == [None, TOO_OFTEN]


def test_who_has_not_come_for_long_is_forgotten() -> None:
    clock = Clock()
    one = admission(clock)
    for number in range(20 * TIDY_FROM):
        clock.now = number / 100
        one.refusal(replace(ADA, user=f"user{number}"), LIMITS)
        assert len(one._full_at) <= TIDY_FROM + 1
