"""How often a node does what all do: at once after a quiet time, not too often with many nodes."""

import pytest

from server.core.shared_pace import LONGEST, SharedPace

TOGETHER, AT_ONCE = 2_000.0, 50.0


def reads_within(seconds: float, pace: SharedPace, nodes: int) -> int:
    """Return how often a node reads that always finds something new."""
    now, reads = 1000.0, 0
    while now < 1000.0 + seconds:
        now += pace.pause_after(now, nodes) + 0.001
        reads += 1
    return reads


def test_a_node_that_has_not_read_for_a_while_reads_without_a_pause() -> None:
    pace = SharedPace(TOGETHER, AT_ONCE)
    assert [pace.pause_after(1000, 100) for _ in range(int(AT_ONCE))] == [0] * int(AT_ONCE)
    assert pace.pause_after(1000, 100) == pytest.approx(100 / TOGETHER)
    assert pace.pause_after(1010, 100) == 0


@pytest.mark.parametrize("nodes", [20, 100, 200])
def test_all_nodes_together_read_no_more_often_than_the_store_bears(nodes: int) -> None:
    reads = reads_within(30, SharedPace(TOGETHER, AT_ONCE), nodes)
    assert (reads - AT_ONCE) / 30 * nodes == pytest.approx(TOGETHER, rel=0.1)


def test_few_nodes_do_not_wait_for_each_other() -> None:
    assert reads_within(1, SharedPace(TOGETHER, AT_ONCE), 1) == pytest.approx(1000, abs=1)


def test_a_pause_is_short_however_many_nodes_there_are() -> None:
    pace = SharedPace(TOGETHER, AT_ONCE)
    assert max(pace.pause_after(1000, 100_000) for _ in range(1000)) == LONGEST


def test_a_node_that_knows_of_no_other_is_one() -> None:
    assert reads_within(1, SharedPace(TOGETHER, AT_ONCE), 0) == reads_within(
        1, SharedPace(TOGETHER, AT_ONCE), 1
    )
