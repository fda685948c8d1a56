"""Receipts say what is known, no more."""

import pytest

from server.core.receipt import Durability, NodeCounts, Receipt, State


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (NodeCounts(), State.COMPLETE),
        (NodeCounts(acked=3), State.COMPLETE),
        (NodeCounts(acked=3, lease_expired=1), State.BOUNDED),
        (NodeCounts(lease_expired=2), State.BOUNDED),
        (NodeCounts(acked=3, waiting=1), State.PENDING),
        (NodeCounts(acked=3, lease_expired=1, waiting=1), State.PENDING),
    ],
)
def test_the_state_is_the_strongest_true_statement(counts: NodeCounts, state: State) -> None:
    assert counts.state is state


def test_the_wire_has_every_field_by_its_name() -> None:
    receipt = Receipt(
        end_id="e1",
        state=State.BOUNDED,
        sessions=2,
        sockets_closed=7,
        nodes=NodeCounts(acked=2, lease_expired=1),
        durability=Durability.FSYNC,
        elapsed_ms=3.14159,
    )
    assert receipt.as_json() == {
        "event": "e1",
        "state": "bounded",
        "sessions": 2,
        "sockets_closed": 7,
        "nodes": {"acked": 2, "lease_expired": 1, "waiting": 0},
        "durability": "fsync",
        "elapsed_ms": 3.1,
    }


def test_sessions_that_were_counted_later_change_nothing_else() -> None:
    receipt = Receipt("e1", State.COMPLETE, 0, 4, NodeCounts(acked=1), Durability.MEMORY, 1.0)
    counted = receipt.with_sessions(12)
    assert counted.as_json() == receipt.as_json() | {"sessions": 12}
