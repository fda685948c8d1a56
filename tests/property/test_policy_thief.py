"""Anybody may present any token at any time: the policy against an oracle of a dozen lines.

The oracle keeps, for each number, the end of its grace; nothing of the policy's own fields.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from server.core import policy
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import Reason
from server.core.session import Rules, deadlines
from server.core.token import Token
from tests.support.engine.browsing import SEED, SID, new_session, token

TICK: Final = 1 / 64
GRACE: Final = 8.0
FAR: Final = timedelta(days=100)
THEFT: Final = End(Reason.TOKEN_REUSE)

secrets = st.one_of(
    st.integers(1, 9).map(lambda number: token(number).secret),
    st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True),
)


class AnyHolders(RuleBasedStateMachine):
    """The owner, thieves, and whoever else holds a copy of some token of one session."""

    @initialize(
        start=st.integers(0, 2**32).map(lambda ticks: ticks * TICK),
        interval=st.sampled_from([1, 8, 12, 20, 300]),
    )
    def begin(self, start: float, interval: int) -> None:
        """Make the session."""
        self.durations = Rules(
            idle_timeout=FAR,
            absolute_timeout=FAR,
            rotation_interval=timedelta(seconds=interval),
            rotation_grace=timedelta(seconds=GRACE),
        )
        self.now = start
        self.session = new_session(start)
        self.absolute = deadlines(self.session, self.durations).absolute_expires_at
        self.current = self.issued = 1
        self.over_at: dict[int, float] = {}
        self.refused_below = 1
        self.refused_until: float | None = None

    @rule(may_rotate=st.booleans())
    def use_the_newest(self, *, may_rotate: bool) -> None:
        """The owner, most of the time."""
        self.present(self.issued, may_rotate=may_rotate)

    @rule(back=st.integers(-1, 6), may_rotate=st.booleans())
    def use_another(self, back: int, *, may_rotate: bool) -> None:
        """A late request, a thief, or a number from before the record was set back."""
        self.present(max(1, self.issued - back), may_rotate=may_rotate)

    def present(self, number: int, *, may_rotate: bool) -> None:
        """Compare the verdict with the oracle's."""
        expected = self.expected(number)
        verdict = policy.evaluate(
            self.session, token(number), self.now, self.durations, may_rotate=may_rotate
        )
        if expected is not None:
            assert verdict == expected
            return
        self.issued = max(self.issued, number)
        self.accept(verdict)
        assert isinstance(verdict, Accept)
        assert verdict.token is None or (may_rotate and number == self.current)
        if number >= self.refused_below and self.refused_until is None:
            self.refused_until = self.now + GRACE
        if number > self.current:
            self.overtake(number, self.now + GRACE)

    @rule()
    def rotate(self) -> None:
        """A request that was accepted asks for the next number."""
        self.accept(policy.rotate(self.session, self.now, self.durations))

    @rule()
    def elevate(self) -> None:
        """A request that was accepted proved the password."""
        self.accept(policy.elevate(self.session, self.now))
        self.overtake(self.issued, self.now)
        self.refused_below, self.refused_until = self.issued, None

    @rule(secret=secrets, ahead=st.integers(0, 3))
    def forge(self, secret: str, ahead: int) -> None:
        """Nothing but the genuine secret of a number counts, and nobody is harmed by trying."""
        number = self.current + ahead
        if secret != token(number).secret:
            presented = Token(SID, number, secret)
            verdict = policy.evaluate(self.session, presented, self.now, self.durations)
            assert verdict == Refuse(Refusal.FORGED)

    @rule(seconds=st.sampled_from([TICK, 1.0, GRACE - TICK, GRACE, GRACE + 1.0, 3 * GRACE, 300.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def one_token_is_current(self) -> None:
        """If nobody came for a grace, one number would live on, besides those still awaited."""
        for number in range(max(1, self.current - 6), self.current):
            verdict = policy.evaluate(self.session, token(number), self.now + GRACE, self.durations)
            waits = number < self.refused_below and self.refused_until is None
            assert verdict == (Refuse(Refusal.OVERTAKEN) if waits else THEFT)
        assert self.session.generation == self.current
        assert self.session.issued == self.issued

    @invariant()
    def no_rotation_prolongs_the_session(self) -> None:
        """The absolute deadline stands."""
        assert deadlines(self.session, self.durations).absolute_expires_at == self.absolute

    def expected(self, number: int) -> Verdict | None:
        """The verdict for a token that is not accepted; None for one that is."""
        if number < self.refused_below and (
            self.refused_until is None or self.now < self.refused_until
        ):
            return Refuse(Refusal.OVERTAKEN)
        if number < self.current and self.now >= self.over_at[number]:
            return THEFT
        return None

    def accept(self, verdict: Verdict) -> None:
        """Take over the record; a new number is the next one."""
        assert isinstance(verdict, Accept)
        if verdict.issued is not None:
            assert verdict.issued == self.issued + 1
            self.issued += 1
        assert verdict.token in {None, token(self.issued)}
        assert verdict.changed or verdict.session == self.session
        self.session = verdict.session

    def overtake(self, number: int, until: float) -> None:
        """A later promotion never moves the end of a grace."""
        for older in range(1, number):
            self.over_at.setdefault(older, until)
        self.current = number


TestAnyHolders = AnyHolders.TestCase
TestAnyHolders.settings = settings(max_examples=300, stateful_step_count=40)


@given(st.binary(min_size=32, max_size=32).filter(lambda seed: seed != SEED), st.integers(1, 5))
def test_no_token_of_another_seed_opens(seed: bytes, number: int) -> None:
    session = replace(new_session(0.0), seed=seed, generation=3, issued=4)
    assert policy.evaluate(session, token(number), 1.0, Rules()) == Refuse(Refusal.FORGED)
