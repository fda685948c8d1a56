"""What the stores and the receipts said, and what was served although it must not be.

Each server has its own truth. After a failover that of the new master counts, with what replication
without confirmation brings with it (docs/operations.md, "Durability" and "A store that moves"):

- An end that the new master never got did not happen there, unless its receipt says `replicas`.
- A sign-in that the new master never got did not happen there either, and what was lost must not
  be served for longer than a lease. But who asked for it may ask again, with the same session: once
  the new master has made it, it lives there.
- A node whose connections still lead to an old master that takes itself for one hears of no end
  and no beginning elsewhere. It may be there until it connects anew, and at most for the age of a
  connection.
- A node that was not on a list that the store lost, or whose entry was not lost, cannot know that
  others were (docs/threat-model.md, P1).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.core.receipt import Durability, Receipt, State
from server.core.token import Token
from server.store.contract import Stored
from tests.simulation.network import KEPT_FOR
from tests.simulation.servers import Server, knows

if TYPE_CHECKING:
    from tests.simulation.world import Node

RATES_DIFFER = 0.01


@dataclass
class _Gone:
    """When serving each session must have stopped.

    Attributes:
        by_lease: a lease after its end.
        by_receipt: when a receipt said that all nodes had stopped.
        before: what the old master's records and ends say of a session that this one does not have.
    """

    by_lease: dict[str, float] = field(default_factory=dict)
    by_receipt: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)

    def at(self, sid: str) -> float:
        """Return when the session must not be served any more."""
        return min(
            each.get(sid, float("inf")) for each in (self.by_lease, self.by_receipt, self.before)
        )


class Truth:
    """Judges what is served.

    Args:
        now: the time.
        lease: of nodes, in seconds.

    Attributes:
        violations: what must not have happened.
    """

    def __init__(self, now: Callable[[], float], lease: float) -> None:
        self.violations: list[str] = []
        self._now = now
        self._lease = lease
        self._gone: dict[Server, _Gone] = {}
        self._promised: dict[str, None] = {}
        self._lost_lists: list[tuple[float, set[str]]] = []
        self._taken_over_at = float("inf")

    def follow(self, server: Server) -> None:
        """Note what ends on a server."""
        gone = self._gone[server] = _Gone()

        def ended(sid: str) -> None:
            gone.by_lease.setdefault(sid, self._now() + self._lease)

        def created(sid: str) -> None:
            gone.before.pop(sid, None)

        server.memory.on_end, server.memory.on_create = ended, created

    def take_over(self, old: Server, new: Server) -> None:
        """Judge by another server from now on, which has only a part of what the old one has."""
        self._taken_over_at = self._now()
        before, after = self._gone[old], self._gone[new]
        lost = {sid: self._now() + self._lease for sid in old.memory.records}
        for sid in lost | before.by_lease | before.by_receipt:
            if not isinstance(new.memory.load(sid), Stored):
                after.before[sid] = min(before.at(sid), lost.get(sid, float("inf")))
        self.lost_list(old.memory.nodes.keys() - new.memory.nodes.keys())
        for end_id in self._promised:
            self._require(end_id, new)

    def lost_list(self, nodes: Iterable[str]) -> None:
        """Note that a list has lost these nodes, which may serve."""
        self._lost_lists.append((self._now(), set(nodes)))

    def received(self, node: str, receipt: Receipt, covered: Iterable[Token]) -> None:
        """Note what a receipt says.

        Args:
            node: the initiator.
            receipt: the receipt.
            covered: the sessions that it may be about.
        """
        if receipt.state is State.PENDING:
            return
        if receipt.durability is Durability.REPLICAS and receipt.sessions:
            self._promised[receipt.end_id] = None
            self._require(receipt.end_id, self._latest)
        if self._could_not_know(node, self._now() - receipt.elapsed_ms / 1000):
            return
        for server, gone in self._gone.items():
            if knows(server.memory, receipt.end_id):
                for token in covered:
                    at = gone.by_receipt.get(token.sid, float("inf"))
                    gone.by_receipt[token.sid] = min(at, self._now())

    def served(self, node: "Node", sid: str, at: float, what: str) -> None:
        """Check that a node may have served a session."""
        gone_at = self._gone[self._latest].at(sid)
        if self._is_behind(node, at):
            gone_at = max(gone_at, self._gone[self._first].at(sid))
        if at > gone_at:
            self.violations.append(f"{what} of {sid} was served {at - gone_at:.4f} s too late")

    def ended_before(self, sid: str) -> bool:
        """Return whether a session has ended on the old master, and came back with the new one."""
        return self._first is not self._latest and sid in self._gone[self._first].by_lease

    def could_not_know_of(self, node: "Node", sid: str) -> bool:
        """Return whether a node asked an old master for a session that began on the new one."""
        return self._is_behind(node, self._now()) and sid not in self._first.memory.records

    @property
    def servers(self) -> list[Server]:
        """The servers, the latest master last."""
        return list(self._gone)

    @property
    def _first(self) -> Server:
        return self.servers[0]

    @property
    def _latest(self) -> Server:
        return self.servers[-1]

    def _is_behind(self, node: "Node", at: float) -> bool:
        """Return whether a node could serve by an old master that took itself for one."""
        old, new = self._first, self._latest
        arrivals = node.remote.master.arrivals
        if old.demoted_at <= self._taken_over_at or old.history not in arrivals:
            return False
        longest = self._taken_over_at + KEPT_FOR.total_seconds()
        left_at = min(arrivals.get(new.history, longest), old.demoted_at, longest)
        return at <= left_at + self._lease

    def _could_not_know(self, node: str, ended_at: float) -> bool:
        """Return whether the list lacked nodes at an end, and not the initiator's own entry."""
        longest = self._lease * (1 + RATES_DIFFER)
        return any(
            lost_at <= self._now() and ended_at <= lost_at + longest and lost and node not in lost
            for lost_at, lost in self._lost_lists
        )

    def _require(self, end_id: str, server: Server) -> None:
        if not knows(server.memory, end_id):
            self.violations.append(f"the end {end_id}, which a replica had, was lost")
