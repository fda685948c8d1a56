"""A small fleet of real engines: acknowledgements do not grow as nodes times ends."""

import pytest

from server.realtime import follower
from tests.simulation.fleet import Size, without_pace
from tests.simulation.fleet_figures import Figures, run_ends
from tests.simulation.fleet_store import Costs

NODES = 20
SMALL = Size(nodes=NODES, sockets=20_000, sessions=200_000)
COSTS = Costs(read=113, entry=6.6, acknowledge=20, renew=117, end=547, load=3, count=40)
TOGETHER = 200.0


@pytest.fixture
def slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the nodes take the store for a slow one, so that a few ends are many."""
    monkeypatch.setattr(follower, "READS_TOGETHER", TOGETHER)
    monkeypatch.setattr(follower, "AT_ONCE", 2.0)


def true_of(found: Figures) -> bool:
    """Return whether every receipt was right, and said that all nodes had stopped."""
    return (found.lies, found.complete, found.open) == (0, 1, NODES)


@pytest.mark.usefixtures("slow_store")
def test_acknowledgements_do_not_grow_as_nodes_times_ends() -> None:
    few, many = (run_ends(SMALL, COSTS, rate, seconds=2) for rate in (20, 80))
    assert true_of(few)
    assert true_of(many)
    assert many.ends > 3 * few.ends
    assert many.acknowledgements < 1.2 * few.acknowledgements < 1.5 * TOGETHER
    assert many.reads < 1.2 * few.reads


def test_without_the_pace_and_the_shared_acknowledgement_they_do() -> None:
    before = Size(nodes=NODES, sockets=20_000, sessions=200_000, earlier=True)
    found = run_ends(before, COSTS, 40, seconds=1, change=without_pace)
    assert true_of(found)
    assert found.acknowledgements > 0.9 * found.ends * (NODES - 1)


def test_a_single_end_is_acknowledged_at_once() -> None:
    found = run_ends(SMALL, COSTS, 0.5, seconds=4)
    assert true_of(found)
    assert found.slowest < 20
