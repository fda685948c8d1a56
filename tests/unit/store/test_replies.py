import pytest

from server.core.reasons import Reason
from server.store.contract import Tombstone
from server.store.replies import (
    pairs,
    read_epoch,
    read_leases,
    read_moment,
    read_tombstone,
    sockets_by_sid,
)


def test_a_flat_list_is_read_as_pairs() -> None:
    assert list(pairs(["a", "1", "b", "2"])) == [("a", "1"), ("b", "2")]
    with pytest.raises(ValueError, match="shorter"):
        list(pairs(["a", "1", "b"]))


def test_leases_are_read_by_node() -> None:
    assert read_leases([b"n1", b"1000000.25", b"n2", b"1000030"]) == {
        "n1": 1_000_000.25,
        "n2": 1_000_030.0,
    }


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", "now"])
def test_a_time_is_a_finite_number(text: str) -> None:
    assert read_moment("1000000.000001") == 1_000_000.000001
    with pytest.raises(ValueError, match=text or "convert"):
        read_moment(text)


def test_a_tombstone_says_how_a_session_ended() -> None:
    assert read_tombstone(b"e1 logout 1.5") == Tombstone("e1", Reason.LOGOUT, 1.5)


@pytest.mark.parametrize(
    "value",
    [b"", b"e1", b"e1 logout", b"e1 logout 1.5 more", b"e1 boredom 1.5", b"e1 logout nan", b"\xff"],
)
def test_other_bytes_are_no_tombstone(value: bytes) -> None:
    assert read_tombstone(value) is None


@pytest.mark.parametrize(
    ("value", "epoch"), [(None, ""), (b"", ""), (b"e1", "e1"), (b"e1 admin 1.5", "e1")]
)
def test_an_epoch_is_the_id_of_an_end(value: bytes | None, epoch: str) -> None:
    assert read_epoch(value) == epoch


def test_only_the_sockets_of_live_nodes_are_counted() -> None:
    counts = [(b"s1 n1", b"2"), (b"s1 n2", b"3"), (b"s1 dead", b"9"), (b"s2 n1", b"1")]
    assert sockets_by_sid(counts, {"n1", "n2"}) == {"s1": 5, "s2": 1}
