"""Watching the lists of nodes: whose entry has been the same, and since when."""

from datetime import timedelta
from typing import Final

from server.core.nodes import LONGEST_WAIT, RATES_DIFFER, ListedNode, NodeWatch

LEASE: Final = 5.0
LONGEST: Final = LEASE * (1 + RATES_DIFFER)
OLD, NEW = ListedNode("1"), ListedNode("2")


def watch() -> NodeWatch:
    """A watch of a node with this lease."""
    return NodeWatch(timedelta(seconds=LEASE))


def test_an_entry_is_silent_a_whole_lease_after_it_was_first_seen() -> None:
    nodes = watch()
    for at in (10, 12, 14):
        nodes.see(0, {"n1": OLD}, at)
    assert nodes.silent(10 + LEASE) == []
    assert nodes.silent(10 + LONGEST) == [(0, "n1", OLD)]
    assert nodes.over_at(0, "n1", OLD, 14) == 10 + LONGEST


def test_an_entry_that_changed_is_new() -> None:
    nodes = watch()
    nodes.see(0, {"n1": OLD}, 10)
    nodes.see(0, {"n1": NEW}, 12)
    assert nodes.silent(10 + LONGEST) == []
    assert nodes.over_at(0, "n1", NEW, 14) == 12 + LONGEST
    nodes.see(0, {"n1": OLD}, 13)
    assert nodes.over_at(0, "n1", OLD, 14) == 13 + LONGEST


def test_an_entry_that_was_never_seen_counts_from_now() -> None:
    nodes = watch()
    nodes.see(0, {"n1": OLD}, 10)
    assert nodes.over_at(0, "n1", NEW, 14) == 14 + LONGEST
    assert nodes.over_at(1, "n1", OLD, 14) == 14 + LONGEST


def test_each_entry_has_the_lease_that_it_says() -> None:
    nodes, patient = watch(), ListedNode("1", 60)
    nodes.see(0, {"n1": patient, "n2": OLD}, 10)
    assert nodes.silent(10 + LONGEST) == [(0, "n2", OLD)]
    assert nodes.over_at(0, "n1", patient, 11) == 10 + 60 * (1 + RATES_DIFFER)


def test_a_node_that_left_is_forgotten() -> None:
    nodes = watch()
    nodes.see(0, {"n1": OLD}, 10)
    nodes.see(0, {}, 11)
    assert nodes.silent(100) == []


def test_a_list_without_the_entry_that_a_node_had_is_another_list() -> None:
    nodes = watch()
    assert not nodes.has_lost(0, "n1", {})
    nodes.see(0, {"n1": ListedNode("1", 5, 1)}, 10)
    assert not nodes.has_lost(0, "n1", {"n1": ListedNode("2", 5, 1)})
    assert nodes.has_lost(0, "n1", {})
    assert nodes.has_lost(0, "n1", {"n1": ListedNode("2", 5, 2)})
    assert not nodes.has_lost(1, "n1", {})


def test_lists_that_were_lost_may_lack_nodes_for_one_lease() -> None:
    nodes = watch()
    assert not nodes.may_lack_nodes(0)
    nodes.note_loss(10)
    assert nodes.may_lack_nodes(10 + LEASE)
    assert not nodes.may_lack_nodes(10 + LONGEST)


def test_the_slowest_listed_node_is_waited_for_but_not_for_ever() -> None:
    nodes = watch()
    assert nodes.longest_listed() == LONGEST
    nodes.see(0, {"n1": OLD, "n2": ListedNode("1", 20)}, 10)
    assert nodes.longest_listed() == 20 * (1 + RATES_DIFFER)
    nodes.see(1, {"n3": ListedNode("1", 1e9)}, 10)
    assert nodes.longest_listed() == LONGEST_WAIT


def test_the_nodes_of_a_shard_are_those_of_its_latest_list() -> None:
    nodes = watch()
    assert nodes.listed_in(0) == 0
    nodes.see(0, {"n1": OLD, "n2": OLD}, 10)
    nodes.see(1, {"n1": OLD}, 10)
    assert (nodes.listed_in(0), nodes.listed_in(1)) == (2, 1)
