"""Whom a cluster's nodes name as masters, and whose word counts."""

from dataclasses import replace
from typing import Final

import pytest

from server.core.cluster_map import (
    SLOTS,
    ClusterMap,
    ClusterNode,
    NotClusterNodes,
    findings_of_replicas,
    flaw_of_single,
    listed_ranges,
    nodes_of,
)
from server.core.store_url import Place

ASKED: Final = Place("seed", 7000)
A, B, C = (Place(f"10.0.0.{number}", 6379) for number in (1, 2, 3))


def line(place: str, flags: str, epoch: int, *slots: str) -> str:
    """One line of CLUSTER NODES."""
    return " ".join(["0" * 40, place, flags, "-", "0", "1", str(epoch), "connected", *slots])


def master(place: Place, epoch: int, *slots: tuple[int, int], usable: bool = True) -> ClusterNode:
    """A master as some node tells of it."""
    return ClusterNode(place, epoch, is_master=True, is_usable=usable, slots=slots)


def test_a_line_tells_where_a_node_is_and_what_it_serves() -> None:
    told = "\n".join(
        [
            line("10.0.0.1:6379@16379,db1.example", "myself,master", 7, "0-99", "200", "[5->-ab]"),
            line("10.0.0.2:6379@16379,,tls-port=1", "slave,fail?", 7),
            line(":6380@16380", "master", 9, "300-301"),
        ]
    )
    first, second, third = nodes_of(told + "\n", ASKED, by_name=False)
    assert first == replace(master(A, 7, (0, 99), (200, 200)), is_self=True)
    assert (second.place, second.is_master, second.is_usable) == (B, False, True)
    assert third.place == Place("seed", 6380)
    named, unnamed, _ = nodes_of(told, ASKED, by_name=True)
    assert named.place == Place("db1.example", 6379)
    assert unnamed.place == B


@pytest.mark.parametrize("flags", ["master,fail", "master,noaddr", "handshake"])
def test_a_node_that_failed_or_is_not_known_yet_is_not_usable(flags: str) -> None:
    (found,) = nodes_of(line("10.0.0.1:6379@1", flags, 1, "0-9"), ASKED, by_name=False)
    assert not found.is_usable


@pytest.mark.parametrize(
    "told",
    [
        "nonsense",
        line("10.0.0.1", "master", 1),
        line("10.0.0.1:1@2", "master", 1, "0-16384"),
        line("10.0.0.1:99999@2", "master", 1),
        line("[:1@2", "master", 1),
        line("user@:1", "master", 1),
        line("a/b:1@2", "master", 1),
    ],
)
def test_what_is_no_answer_is_refused(told: str) -> None:
    with pytest.raises(NotClusterNodes):
        nodes_of(told, ASKED, by_name=False)


def test_slots_without_a_master_are_missing() -> None:
    known = ClusterMap()
    assert listed_ranges(known.missing()) == f"0-{SLOTS - 1}"
    known.learn([master(A, 1, (0, 99)), master(B, 2, (200, SLOTS - 1), usable=False)])
    assert known.missing() == [(100, SLOTS - 1)]
    known.learn([master(B, 2, (101, 199), (201, SLOTS - 1))])
    assert listed_ranges(known.missing()) == "100, 200"
    assert (known.owner(99), known.owner(100), known.masters()) == (A, None, [A, B])


def test_of_two_answers_the_higher_epoch_counts_whenever_it_comes() -> None:
    known = ClusterMap()
    known.learn([master(A, 1, (0, 9))])
    known.learn([master(B, 5, (0, 9))])  # promoted
    known.learn([master(A, 1, (0, 9))])  # a paused master, which believes what it believed
    assert known.owner(5) == B
    known.learn([master(A, 6, (0, 9))])
    assert known.owner(5) == A


def test_a_redirection_counts_until_a_higher_epoch_is_told() -> None:
    known = ClusterMap()
    known.learn([master(A, 3, (0, 9))])
    assert known.masters() == [A]
    known.move(4, C)
    assert known.masters() == [A, C]
    known.learn([master(A, 2, (0, 9))])
    assert (known.owner(3), known.owner(4)) == (A, C)
    known.learn([master(B, 4, (0, 9))])
    assert known.owner(4) == B
    assert known.masters() == [B]


def test_masters_are_vouched_for_by_a_majority_of_masters_that_do_not_doubt_them() -> None:
    known = ClusterMap()
    all_of_them = [master(A, 1, (0, 9)), master(B, 2, (10, 19)), master(C, 3, (20, 29))]
    known.learn(all_of_them)

    def view(asked: Place, doubted: Place | None = None) -> list[ClusterNode]:
        return [
            replace(each, is_self=each.place == asked, is_doubted=each.place == doubted)
            for each in all_of_them
        ]

    assert known.vouched([view(A)]) == set()
    assert known.vouched([view(A), view(B)]) == {A, B, C}
    assert known.vouched([view(A, doubted=C), view(B)]) == {A, B}
    replica = [*all_of_them, replace(master(ASKED, 3), is_master=False, is_self=True)]
    assert known.vouched([view(A), replica]) == set()
    promoted = [*all_of_them[:2], master(ASKED, 4, (20, 29))]
    known.learn(promoted)
    late = [view(C), view(A)]  # C was paused, and A was asked before it knew
    assert known.vouched(late) == set()


@pytest.mark.parametrize(
    ("slots", "is_refused"), [(["0-16383"], False), (["0-5460"], True), ([], True)]
)
def test_a_member_of_a_cluster_that_has_not_all_keys_is_no_single_store(
    slots: list[str], *, is_refused: bool
) -> None:
    told = [line("a:1@2", "myself,master", 1, *slots), line("b:1@2", "master", 2, "5461-16383")]
    members = nodes_of("\n".join(told), ASKED, by_name=False)
    assert (flaw_of_single(members) is not None) == is_refused


def test_a_member_that_does_not_tell_what_it_has_is_no_single_store() -> None:
    assert "the right to CLUSTER NODES" in str(flaw_of_single([]))


def test_a_master_without_the_replicas_that_ends_wait_for_is_found() -> None:
    (found,) = findings_of_replicas({A: 1, B: 0, C: None}, 1)
    assert "each end waits for 1 replica, and the master at 10.0.0.2:6379 has 0" in str(found)
    assert findings_of_replicas({A: 0}, 0) == []
