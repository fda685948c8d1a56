"""Who serves which part of a cluster's keys, as far as this process was told.

Each node of a cluster tells what it believes, and a node that was cut off or paused believes what
was true before. What it says of a master carries that master's configuration epoch, which rises
with each failover and each move of slots (Redis Cluster specification, "configuration epoch"). So
of two answers the one with the higher epoch counts, whoever gave it and whenever it arrives.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.core.findings import Finding
from server.core.plurals import counted
from server.core.store_url import HIGHEST_PORT, Place

SLOTS: Final = 16384
"""The parts of the keys of every cluster."""
_FIELDS: Final = 8
"""Of a line of CLUSTER NODES, before the slots."""
_HOST: Final = re.compile(r"[\w.:-]*")
"""Nothing that means something else in a URL. A node that has met nobody does not know its own."""
_UNUSABLE: Final = frozenset({"handshake", "noaddr", "fail"})


class NotClusterNodes(ValueError):
    """A text is no answer to CLUSTER NODES."""


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A node, as one line of CLUSTER NODES tells of it.

    Attributes:
        place: where it listens.
        epoch: its configuration epoch; a replica's is its master's.
        is_master: whether it is a master.
        is_usable: whether the node that was asked can use it.
        slots: the ranges that it serves, first and last.
        is_self: whether it is the node that was asked.
        is_doubted: whether the node that was asked takes it for lost.
    """

    place: Place
    epoch: int
    is_master: bool
    is_usable: bool
    slots: tuple[tuple[int, int], ...]
    is_self: bool = False
    is_doubted: bool = False


def nodes_of(told: str, asked: Place, *, by_name: bool) -> list[ClusterNode]:
    """Return the nodes in an answer to CLUSTER NODES.

    Args:
        told: the answer.
        asked: the node that gave it. Before it met others, it does not know its own address.
        by_name: whether to prefer host names, which certificates name.

    Raises:
        NotClusterNodes: it is none.
    """
    return [_member(line.split(" "), asked, by_name=by_name) for line in told.splitlines() if line]


class ClusterMap:
    """Which master serves each slot.

    Attributes:
        places: all nodes of which the last answer told, to ask them next time.
    """

    def __init__(self) -> None:
        self._owners: list[tuple[Place, int] | None] = [None] * SLOTS
        self._learnt: Sequence[ClusterNode] = ()
        self._masters: list[Place] | None = []
        """Kept until an owner changes: each answer of a node is compared with them."""
        self.places: tuple[Place, ...] = ()

    def learn(self, members: Sequence[ClusterNode]) -> None:
        """Take over what an answer knows better."""
        masters = sorted(
            (each for each in members if each.is_master and each.is_usable and each.slots),
            key=lambda each: each.slots,
        )
        self.places = tuple(each.place for each in members if each.is_usable) or self.places
        if masters == self._learnt:
            return
        for each in masters:
            for first, last in each.slots:
                self._claim(range(first, last + 1), each)
        self._learnt, self._masters = masters, None

    def move(self, slot: int, place: Place) -> None:
        """Note what a server answered with MOVED: another one serves this slot."""
        owner = self._owners[slot]
        self._owners[slot] = place, owner[1] if owner else 0
        self._learnt, self._masters = (), None

    def vouched(self, answers: Iterable[Sequence[ClusterNode]]) -> set[Place]:
        """Return the masters that a majority of all masters holds for masters, in these answers.

        A promotion needs a majority, too. So whom a majority names was not replaced before it was
        asked.
        """
        masters = self.masters()
        votes: Counter[Place] = Counter()
        for members in answers:
            if any(each.is_self and each.place in masters for each in members):
                votes.update(
                    each.place
                    for each in members
                    if each.is_master and each.slots and not each.is_doubted
                )
        return {place for place in masters if votes[place] > len(masters) // 2}

    def owner(self, slot: int) -> Place | None:
        """Return where the master of a slot is; None if nobody is known to serve it."""
        owner = self._owners[slot]
        return owner[0] if owner else None

    def masters(self) -> list[Place]:
        """Return where the masters with slots are, in the order of their first slots."""
        if self._masters is None:
            self._masters = list(dict.fromkeys(owner[0] for owner in self._owners if owner))
        return list(self._masters)

    def missing(self) -> list[tuple[int, int]]:
        """Return the ranges of slots that nobody is known to serve, first and last."""
        return list(_ranges(slot for slot, owner in enumerate(self._owners) if owner is None))

    def _claim(self, slots: range, master: ClusterNode) -> None:
        for slot in slots:
            owner = self._owners[slot]
            if owner is None or master.epoch >= owner[1]:
                self._owners[slot] = master.place, master.epoch


def flaw_of_single(members: Sequence[ClusterNode]) -> str | None:
    """Return why a member of a cluster cannot be the one store; None if it serves all slots.

    Args:
        members: the nodes that it tells of; none if it does not tell.
    """
    if any(each.is_self and each.slots == ((0, SLOTS - 1),) for each in members):
        return None
    needed = "" if members else ", or the right to CLUSTER NODES, which tells that it has all keys"
    return (
        "CURFEW_STORE_URL leads to a member of a cluster, and names a single server. Needed: "
        "redis+cluster://host:6379,host:6379 or rediss+cluster://, with some of its nodes"
        f"{needed}."
    )


def findings_of_replicas(replicas: Mapping[Place, int | None], wanted: int) -> list[Finding]:
    """Return the masters that have fewer replicas than each end waits for.

    Args:
        replicas: how many each master has; None if it does not tell.
        wanted: `CURFEW_TERMINATION_REPLICAS`.
    """
    return [
        Finding(
            "CURFEW_TERMINATION_REPLICAS",
            f"each end waits for {counted(wanted, 'replica')}, and the master at {place} has "
            f"{each}: its receipts say pending",
            "more replicas, or a smaller number",
        )
        for place, each in replicas.items()
        if each is not None and each < wanted
    ]


def listed_ranges(ranges: Sequence[tuple[int, int]]) -> str:
    """Return ranges of slots as text."""
    return ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in ranges)


def _ranges(slots: Iterator[int]) -> Iterator[tuple[int, int]]:
    first = last = -2
    for slot in slots:
        if slot != last + 1:
            if first >= 0:
                yield first, last
            first = slot
        last = slot
    if first >= 0:
        yield first, last


def _member(fields: Sequence[str], asked: Place, *, by_name: bool) -> ClusterNode:
    if len(fields) < _FIELDS:
        raise NotClusterNodes
    flags = set(fields[2].split(","))
    try:
        return ClusterNode(
            _place(fields[1], asked, by_name=by_name),
            int(fields[6]),
            "master" in flags,
            not flags & _UNUSABLE,
            tuple(_range(each) for each in fields[_FIELDS:] if not each.startswith("[")),
            is_self="myself" in flags,
            is_doubted=bool(flags & {"fail", "fail?"}),
        )
    except ValueError:
        raise NotClusterNodes from None


def _place(text: str, asked: Place, *, by_name: bool) -> Place:
    """Return where a node is, from `ip:port@busport,hostname,…`."""
    address, *names = text.split(",")
    host, _, port = address.partition("@")[0].rpartition(":")
    name = names[0] if names and "=" not in names[0] else ""
    told = name if by_name and name else host
    if not (_HOST.fullmatch(told) and 0 <= int(port) <= HIGHEST_PORT):
        raise ValueError(text)
    return Place(told or asked.host, int(port))


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    found = int(first), int(last or first)
    if not 0 <= found[0] <= found[1] < SLOTS:
        raise ValueError(text)
    return found
