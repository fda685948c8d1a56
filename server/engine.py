"""Joins what serves one node's sessions, on whatever store it is given.

Hub and control stream, fence and follower know nothing of each other; here they meet. Everything
that differs between a real process and one under test comes in from outside: the store, the
clocks, chance.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta

from server.core.audit import Record
from server.core.counts import Counts
from server.core.receipt import Durability
from server.core.session import Rules
from server.crypto.sealer import Sealer
from server.realtime.deadlines import DeadlineTimers
from server.realtime.dispatch import Dispatch
from server.realtime.fence import Fence
from server.realtime.follower import Follower
from server.realtime.hub import Hub, SessionSockets
from server.realtime.lease import Lease
from server.realtime.messenger import Messenger
from server.realtime.pending_receipts import PendingReceipts
from server.realtime.reconciler import Reconciler
from server.realtime.rejected_entries import RejectedEntries
from server.realtime.socket_admission import SocketAdmission
from server.realtime.socket_counts import SocketCountReporter
from server.realtime.socket_dependencies import SocketDependencies
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.contract import ControlLog, NodeRegistry, SessionStore


@dataclass(frozen=True, slots=True)
class EngineDependencies:
    """What an engine is given.

    Attributes:
        node: id of this node.
        store: sessions, their index and their ends.
        registry: the list of nodes.
        control: the streams.
        sealer: seals messages between sockets.
        durability: what is known of the store's writes.
        now: the store's clock, in Unix seconds.
        monotonic: seconds, never set back.
        random: cryptographically strong random bytes, as many as asked for.
        counts: told of what happens.
        record: told what is worth looking into.
    """

    node: str
    store: SessionStore
    registry: NodeRegistry
    control: ControlLog
    sealer: Sealer
    durability: Durability
    now: Callable[[], float]
    monotonic: Callable[[], float]
    random: Callable[[int], bytes]
    counts: Counts
    record: Record


@dataclass(frozen=True, slots=True)
class Timing:
    """The engine's own durations; those of sessions are in `Rules`."""

    node_lease: timedelta
    hold_timeout: timedelta
    sweep_interval: timedelta
    termination_wait: timedelta


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of one node.

    Attributes:
        sessions: the life of sessions.
        terminations: their ends, with receipts.
        hub: the sockets here.
        deadlines: keeps the deadlines of sessions with sockets here.
        messenger: application data between sockets.
        fence: whether this node may serve.
        follower: this node's place in the control stream.
        lease: this node's place on the list of nodes.
        presence: reports the numbers of sockets here.
        reconciler: compares sessions here with the store.
        socket_dependencies: what sockets are made with.
    """

    sessions: SessionManager
    terminations: Terminations
    hub: Hub
    deadlines: DeadlineTimers
    messenger: Messenger
    fence: Fence
    follower: Follower
    lease: Lease
    presence: SocketCountReporter
    reconciler: Reconciler
    socket_dependencies: SocketDependencies

    def serving(self) -> list[Coroutine[None, None, None]]:
        """What runs, besides the follower, as long as the node serves."""
        return [each.run() for each in (self.fence, self.lease, self.presence, self.reconciler)]


def build_engine(given: EngineDependencies, rules: Rules, timing: Timing) -> Engine:
    """Join the parts. Nothing runs yet."""
    sessions = SessionManager(
        given.store,
        rules,
        given.now,
        given.random,
        given.node,
        given.counts.ended,
        given.record,
    )
    desk = PendingReceipts(given.registry.leases, given.now)
    terminations = Terminations(
        given.store,
        desk,
        given.random,
        given.node,
        timing.termination_wait,
        given.durability,
        given.monotonic,
        given.counts.terminated,
        given.record,
    )

    async def report(user: str, sid: str, count: int) -> None:
        await given.store.count_sockets(user, sid, given.node, count)

    def on_change(live: SessionSockets) -> None:
        presence.changed(live)
        if not live.connections:
            deadlines.forget(live.sid)

    presence = SocketCountReporter(report)
    hub = Hub(on_change)
    deadlines = DeadlineTimers(hub, rules, given.now, sessions.current)
    messenger = Messenger(hub, given.control, given.sealer)
    reconciler = Reconciler(hub, sessions.current, timing.sweep_interval, given.now, given.counts)
    fence = Fence(
        hub, reconciler.after_hold, timing.node_lease, timing.hold_timeout, given.monotonic
    )
    dispatch = Dispatch(
        given.node,
        hub,
        deadlines,
        desk,
        given.control,
        messenger,
        reconciler,
        RejectedEntries(given.record, reconciler.sweep_soon, given.monotonic),
        given.now,
        given.counts,
    )
    follower = Follower(
        given.control, dispatch.apply, reconciler.after_loss, fence.followed, given.monotonic
    )
    lease = Lease(given.registry, given.node, timing.node_lease, fence, given.monotonic)
    return Engine(
        sessions=sessions,
        terminations=terminations,
        hub=hub,
        deadlines=deadlines,
        messenger=messenger,
        fence=fence,
        follower=follower,
        lease=lease,
        presence=presence,
        reconciler=reconciler,
        socket_dependencies=SocketDependencies(
            hub=hub,
            door=SocketAdmission(hub, given.monotonic),
            fence=fence,
            deadlines=deadlines,
            messenger=messenger,
            current=sessions.current,
            touch=sessions.touch,
            now=given.now,
            monotonic=given.monotonic,
            rules=rules,
            counts=given.counts,
        ),
    )
