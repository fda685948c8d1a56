"""Long random histories of an honest browser: whatever the network does to it, it is served."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core import policy
from server.core.policy import Refusal, Refuse
from server.core.session import Rules, Session, deadlines
from tests.support.engine.browsing import (
    History,
    Kind,
    arrive,
    lose,
    new_session,
    send,
    token,
    wait,
)

TICK = 1 / 64
"""Times are whole ticks, which floats add without rounding."""

graces = st.integers(2, 64 * 60).map(lambda ticks: ticks * TICK)
ratios = st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 30.0])


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    """Any rules, the timeouts far longer than the grace."""
    grace = draw(graces)
    idle, absolute = draw(st.sampled_from([(200, 200), (200, 2000), (20_000, 20_000)]))
    return Rules(
        rotation_grace=timedelta(seconds=grace),
        rotation_interval=timedelta(seconds=draw(ratios) * grace),
        idle_timeout=timedelta(seconds=idle * grace),
        absolute_timeout=timedelta(seconds=absolute * grace),
        touch_interval=timedelta(seconds=draw(ratios) * grace),
    )


def kinds(*, elevates: bool) -> st.SearchStrategy[Kind]:
    """Requests, mostly plain ones."""
    rare = [Kind.ROTATE, Kind.ROTATE, Kind.SOCKET] + [Kind.ELEVATE] * elevates
    return st.sampled_from([Kind.GET] * 3 + rare)


@st.composite
def pauses(draw: st.DrawFn, rules: Rules) -> float:
    """A time to wait: often about a grace, sometimes any."""
    grace = rules.rotation_grace.total_seconds()
    near = st.sampled_from([TICK, grace / 2, grace - TICK, grace, grace + TICK, 2 * grace])
    far = st.integers(1, 64 * 600).map(lambda ticks: ticks * TICK)
    seconds = draw(st.one_of(near, near, near, far))
    return seconds // TICK * TICK


def step(data: st.DataObject, history: History, rules: Rules, *, elevates: bool) -> History:
    """One thing that can happen next."""
    draw = data.draw
    what = draw(st.sampled_from(["send", "arrive", "arrive", "arrive", "wait", "lose"]))
    if what == "wait":
        return wait(history, draw(pauses(rules)), rules.rotation_grace.total_seconds())
    if what == "send" or not history.flights:
        return send(history, draw(kinds(elevates=elevates)))
    flight = draw(st.sampled_from(history.flights))
    return lose(history, flight) if what == "lose" else arrive(history, flight, rules)


def live(data: st.DataObject, rules: Rules, *, elevates: bool) -> None:
    """A browser's life, until a timeout ends it."""
    start = data.draw(st.integers(0, 2**32)) * TICK
    history = History(new_session(start), start)
    absolute = deadlines(history.session, rules).absolute_expires_at
    for _ in range(data.draw(st.integers(5, 60))):
        before = history.session
        if deadlines(before, rules).timeout_at(history.now):
            return
        history = step(data, history, rules, elevates=elevates)
        assert deadlines(history.session, rules).absolute_expires_at == absolute
        assert_moved_forward(before, history.session)
        assert_nothing_else_opens(history, rules)


def assert_moved_forward(before: Session, after: Session) -> None:
    """Numbers and activity only grow, and the current number is one that was issued."""
    assert before.generation <= after.generation <= after.issued
    assert before.issued <= after.issued <= before.issued + 2  # the due one, and one on request
    assert before.last_active_at <= after.last_active_at


def assert_nothing_else_opens(history: History, rules: Rules) -> None:
    """No number opens with the secret of another."""
    session = history.session
    for number in (session.generation, session.issued + 1):
        stranger = replace(token(number), secret=token(number + 1).secret)
        verdict = policy.evaluate(session, stranger, history.now, rules)
        assert verdict == Refuse(Refusal.FORGED)


@settings(max_examples=700)
@given(st.data(), all_rules())
@pytest.mark.proves("A22")
def test_rotation_signs_no_honest_browser_out(data: st.DataObject, rules: Rules) -> None:
    live(data, rules, elevates=False)


@settings(max_examples=300)
@given(st.data(), all_rules())
def test_a_change_of_privilege_is_not_taken_for_theft(data: st.DataObject, rules: Rules) -> None:
    live(data, rules, elevates=True)
