"""Reads what the scripts reply and what they write as plain text."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, Final, TypeVar

from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.receipt import Durability
from server.store.confirmed_run import Confirmation
from server.store.contract import Ended, Tombstone

T = TypeVar("T")

RENEWAL_NUMBERS: Final = 3


def pairs(flat: Sequence[T]) -> Iterable[tuple[T, T]]:
    """Return a flat list of alternating names and values as pairs.

    Raises:
        ValueError: while iterating, if a value is missing.
    """
    return zip(flat[::2], flat[1::2], strict=True)


def read_leases(flat: Sequence[bytes]) -> dict[str, float]:
    """Return the end of each node's lease, in Unix seconds, from ZRANGE … WITHSCORES."""
    return {node.decode(): float(ends_at) for node, ends_at in pairs(flat)}


def read_nodes(leases: Sequence[bytes], renewals: Sequence[bytes]) -> dict[str, ListedNode]:
    """Return the entries of the list of nodes.

    Args:
        leases: the nodes and the ends of their leases, from ZRANGE … WITHSCORES.
        renewals: the nodes and their renewals, from HGETALL.
    """
    found = dict(pairs(renewals))
    return {
        node.decode(): read_node(lease_end, found.get(node, b""))
        for node, lease_end in pairs(leases)
    }


def read_node(lease_end: bytes, renewal: bytes) -> ListedNode:
    """Return one entry of the list of nodes.

    Args:
        lease_end: Unix seconds on the store's clock.
        renewal: "<number> <lease, ms> <first number>"; empty for a node of an earlier version.
    """
    mark, numbers = b" ".join((lease_end, renewal)).decode(errors="replace"), renewal.split(b" ")
    if len(numbers) != RENEWAL_NUMBERS or not all(each.isdigit() for each in numbers):
        return ListedNode(mark)
    _, lease_ms, began = map(int, numbers)
    return ListedNode(mark, lease_ms / 1000, began)


def read_moment(text: str) -> float:
    """Return a time in Unix seconds as the scripts write it.

    Raises:
        ValueError: the text is no finite number.
    """
    moment = float(text)
    if not isfinite(moment):
        raise ValueError(text)
    return moment


def read_tombstone(value: bytes) -> Tombstone | None:
    """Return the end in `<end_id> <reason> <at>`; None for any other bytes."""
    try:
        end_id, reason, at = value.decode("ascii").split(" ")
        return Tombstone(end_id, Reason(reason), read_moment(at))
    except ValueError:
        return None


def read_epoch(value: bytes | None) -> str:
    """Return the epoch in `<end_id> <reason> <at>` or in a bare id; empty if there is none."""
    return (value or b"").decode("ascii", "replace").split(" ")[0]


def sockets_by_sid(counts: Iterable[tuple[bytes, bytes]], live: set[str]) -> dict[str, int]:
    """Add up the sockets of live nodes; what a dead node counted is no longer true."""
    totals: dict[str, int] = {}
    for field, count in counts:
        sid, node = field.decode().split(" ")
        if node in live:
            totals[sid] = totals.get(sid, 0) + int(count)
    return totals


def read_ended(
    sids: tuple[str, ...],
    shard: int,
    nodes: Sequence[Any],
    confirmed: Confirmation,
    earlier: Tombstone | None = None,
) -> Ended:
    """Return what an end came to, with the nodes that were listed at that moment."""
    known = confirmed.durability or Durability.UNKNOWN
    return Ended(sids, shard, read_nodes(*nodes), earlier, confirmed.replicated, known)


def read_user_ended(reply: Sequence[Any], shard: int, confirmed: Confirmation) -> Ended:
    """Return what an end of all sessions of a user came to, as `parts/end_user.lua` replies."""
    sids, *nodes = reply
    return read_ended(tuple(sids.decode().split()), shard, nodes, confirmed)
