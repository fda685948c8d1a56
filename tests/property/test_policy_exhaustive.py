"""Every history of an honest browser within small bounds, none left out.

Hypothesis tries long histories at random; here all short ones are walked through. The clock moves
in whole seconds, the grace is two or three of them, and at most two or three requests are under
way at once. In these bounds the shapes of histories are finitely many, so the walk comes to an end.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from server.core.session import Rules
from tests.support.engine.browsing import (
    History,
    Kind,
    SignedOutError,
    arrive,
    lose,
    new_session,
    send,
    shape,
    wait,
)

START = 1_000_000.0
FAR = timedelta(days=100)


def rules(grace: int, interval: int) -> Rules:
    """Rules whose timeouts are out of sight."""
    return Rules(
        idle_timeout=FAR,
        absolute_timeout=FAR,
        touch_interval=FAR,
        rotation_interval=timedelta(seconds=interval),
        rotation_grace=timedelta(seconds=grace),
    )


def nexts(
    history: History, kinds: Iterable[Kind], at_once: int, rules: Rules, patience: float
) -> Iterator[History]:
    """All that can happen next."""
    if len(history.flights) < at_once:
        yield from (send(history, kind) for kind in kinds)
    for flight in set(history.flights):
        yield arrive(history, flight, rules)
        yield lose(history, flight)
    yield wait(history, 1.0, patience)


def walk(rules: Rules, at_once: int, patience: float = 0.0, **rare: int) -> int:
    """Visit every shape of history; how many there are.

    Args:
        rules: the durations.
        at_once: how many requests may be under way.
        patience: how long they may be, in place of a grace.
        rare: by name, how often in one history a kind of request is sent, besides plain ones.
    """
    patience = patience or rules.rotation_grace.total_seconds()
    horizon = max(rules.rotation_interval, 2 * rules.rotation_grace).total_seconds()
    edge = deque([(History(new_session(START), START), Counter(rare))])
    seen = set()
    while edge:
        history, left = edge.popleft()
        kinds = [Kind.GET, *(Kind[name] for name in sorted(+left))]
        for after in nexts(history, kinds, at_once, rules, patience):
            remaining = left
            if len(after.flights) > len(history.flights):
                remaining = left - Counter([after.flights[-1].kind.name])
            key = (tuple(sorted(remaining.items())), shape(after, horizon))
            if key not in seen:
                seen.add(key)
                edge.append((after, remaining))
    return len(seen)


@pytest.mark.parametrize(
    ("grace", "interval", "at_once"), [(3, 1, 2), (2, 1, 3), (3, 1, 3), (3, 5, 3)]
)
@pytest.mark.proves("A21", "A22")
def test_rotation_of_its_own_accord_signs_nobody_out(
    grace: int, interval: int, at_once: int
) -> None:
    assert walk(rules(grace, interval), at_once) > 1000


def test_rotation_on_request_signs_nobody_out() -> None:
    assert walk(rules(2, 1), 2, ROTATE=3) > 1000


def test_a_change_of_privilege_is_not_taken_for_theft() -> None:
    assert walk(rules(2, 1), 2, ELEVATE=2) > 1000


def test_the_walk_meets_whoever_is_signed_out() -> None:
    with pytest.raises(SignedOutError):
        walk(rules(2, 1), 2, patience=3.0)
