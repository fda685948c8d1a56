"""Builds what serves the sessions of one node, on any store.

Everything that differs between a real process and a test comes in from outside: the store, the
clocks, the randomness. `NodeContext` carries the latter.
"""

import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

from server.core.context import NodeContext
from server.core.nodes import NodeWatch
from server.core.session import Rules
from server.crypto.sealer import Sealer
from server.realtime.by_shard import Followers, Leases, Reconcilers, one_or_all
from server.realtime.deadlines import DeadlineTimers
from server.realtime.dispatch import Dispatch
from server.realtime.ended_sessions import EndedSessions
from server.realtime.fence import Fence
from server.realtime.fences import Fences
from server.realtime.follower import Follower
from server.realtime.hub import Hub
from server.realtime.lease import Lease
from server.realtime.messenger import Messenger
from server.realtime.published_data import PublishedData
from server.realtime.reconciler import Reconciler
from server.realtime.rejected_entries import RejectedEntries
from server.realtime.room_follower import RoomFollower
from server.realtime.room_parts import RoomParts, build_rooms
from server.realtime.rooms import Rooms
from server.realtime.shard_sockets import LocalSockets, ShardSockets
from server.realtime.socket_admission import SocketAdmission
from server.realtime.socket_counts import SocketCountReporter
from server.realtime.socket_dependencies import SocketDependencies
from server.sessions.manager import SessionManager
from server.sessions.pending_receipts import PendingReceipts
from server.sessions.terminations import Terminations
from server.store.cluster_shard import ClusterShard
from server.store.contract import NodeRegistry, SessionStore
from server.store.room_contract import RoomStore
from server.store.stream_contract import ControlLog


@dataclass(frozen=True, slots=True)
class EngineDependencies:
    """What an engine is built on.

    Attributes:
        store: sessions, their index and their ends.
        registry: the lists of nodes.
        control: the streams; on a cluster, those of some shard, which can send for all.
        rooms: rooms, and this node's inbox.
        sealer: seals messages between sockets.
        vouched_at: returns a moment at which the store's master still was the master.
        shards: the shards of a cluster, in order; empty for a single store.
    """

    store: SessionStore
    registry: NodeRegistry
    control: ControlLog
    rooms: RoomStore
    sealer: Sealer
    vouched_at: Callable[[], float] = lambda: math.inf
    shards: Sequence[ClusterShard] = ()


LEASES_OF_A_COMMAND: Final = 1.2


@dataclass(frozen=True, slots=True)
class Timing:
    """The durations of the engine. Those of sessions are in `Rules`."""

    node_lease: timedelta
    hold_timeout: timedelta
    sweep_interval: timedelta
    termination_wait: timedelta

    def of_a_command(self) -> "Timing":
        """Return these for a command, which has not watched the other nodes before.

        It waits for a receipt for a lease at least, to see who is gone.
        """
        wait = max(self.termination_wait, LEASES_OF_A_COMMAND * self.node_lease)
        return replace(self, termination_wait=wait)


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of one node.

    Attributes:
        sessions: creates, judges, changes and lists sessions.
        terminations: ends sessions with receipts.
        hub: the sockets on this node.
        fence: says whether this node may serve.
        follower: follows the control stream.
        lease: keeps this node on the lists of nodes, and drops silent ones.
        socket_counts: reports the numbers of sockets.
        reconciler: compares the sessions with sockets here with the store.
        socket_dependencies: what sockets are created with.
        dispatches: pass on what the streams bring: one for all shards of a single store, or one for
            each shard of a cluster.
        rooms: what an application does with rooms, and how it publishes.
        room_follower: follows what happens in rooms; a command needs it for acknowledgements.
    """

    sessions: SessionManager
    terminations: Terminations
    hub: Hub
    fence: Fence | Fences
    follower: Follower | Followers
    lease: Lease | Leases
    socket_counts: SocketCountReporter
    reconciler: Reconciler | Reconcilers
    socket_dependencies: SocketDependencies
    dispatches: Sequence[Dispatch]
    rooms: Rooms
    room_follower: RoomFollower

    def serving(self) -> list[Coroutine[None, None, None]]:
        """Return what runs, besides the follower, while the node serves."""
        parts = (self.fence, self.lease, self.socket_counts, self.reconciler, self.room_follower)
        return [*(each.run() for each in parts), self.room_follower.run_ghosts()]

    def close(self) -> None:
        """Cancel what would still run by itself."""
        self.socket_dependencies.deadlines.close()
        self.socket_dependencies.rooms.entrance.close()


def build_engine(
    given: EngineDependencies, rules: Rules, timing: Timing, context: NodeContext
) -> Engine:
    """Build an engine. Nothing runs yet."""
    sessions = SessionManager(given.store, rules, context)
    watch = NodeWatch(timing.node_lease)
    receipts = PendingReceipts(given.registry, watch, context)
    terminations = Terminations(given.store, receipts, timing.termination_wait, context)
    hub = Hub()
    rooms = build_rooms(
        given.rooms,
        given.control,
        given.registry,
        given.sealer,
        sessions,
        timing.node_lease,
        context,
    )
    parts = _build_parts(given, hub, rooms, sessions, watch, timing, context)
    fence = one_or_all([each.fence for each in parts], Fences)
    sockets = _socket_dependencies(given, hub, fence, rooms, sessions, context)
    socket_counts = SocketCountReporter(given.store, context, partial(watch.listed_in, 0))
    hub.subscribe(socket_counts.sockets_changed)
    hub.subscribe(sockets.deadlines.sockets_changed)
    dispatches = [_dispatch(each, given.sealer, sockets, receipts) for each in parts]
    followers = [
        _follower(part, dispatch, receipts, partial(watch.listed_in, shard), context)
        for shard, (part, dispatch) in enumerate(zip(parts, dispatches, strict=True))
    ]
    return Engine(
        sessions=sessions,
        terminations=terminations,
        hub=hub,
        fence=fence,
        follower=one_or_all(followers, Followers),
        lease=one_or_all([each.lease for each in parts], Leases),
        socket_counts=socket_counts,
        reconciler=one_or_all([each.reconciler for each in parts], Reconcilers),
        socket_dependencies=sockets,
        dispatches=dispatches,
        rooms=rooms.rooms,
        room_follower=rooms.follower,
    )


@dataclass(frozen=True, slots=True)
class _ShardProofs:
    """What proves, and compares, for the shards that are reached and lost together."""

    control: ControlLog
    fence: Fence
    lease: Lease
    reconciler: Reconciler


def _build_parts(
    given: EngineDependencies,
    hub: Hub,
    rooms: RoomParts,
    sessions: SessionManager,
    watch: NodeWatch,
    timing: Timing,
    context: NodeContext,
) -> list[_ShardProofs]:
    """Build one part for all shards of a single store, or one for each shard of a cluster."""
    if not given.shards:
        whole = ClusterShard(given.registry, given.control, given.vouched_at)
        return [_build_part(whole, hub, None, rooms, sessions, watch, timing, context)]
    return [
        _build_part(each, ShardSockets(hub, shard), shard, rooms, sessions, watch, timing, context)
        for shard, each in enumerate(given.shards)
    ]


def _build_part(
    given: ClusterShard,
    sockets: LocalSockets,
    shard: int | None,
    rooms: RoomParts,
    sessions: SessionManager,
    watch: NodeWatch,
    timing: Timing,
    context: NodeContext,
) -> _ShardProofs:
    reconciler = Reconciler(sockets, sessions, timing.sweep_interval, context)
    fence = Fence(
        sockets,
        _after_hold(reconciler, rooms),
        timing.node_lease,
        timing.hold_timeout,
        context.monotonic,
        given.vouched_at,
        "the store" if shard is None else f"shard {shard} of the store",
    )
    lease = Lease(given.registry, watch, fence, timing.node_lease, context, shard)
    return _ShardProofs(given.control, fence, lease, reconciler)


def _after_hold(reconciler: Reconciler, rooms: RoomParts) -> Callable[[], Awaitable[object]]:
    """Return what a node does that may serve again: others may have taken it for gone."""

    async def after_hold() -> None:
        await reconciler.after_hold()
        rooms.here.hold_all()

    return after_hold


def _socket_dependencies(
    given: EngineDependencies,
    hub: Hub,
    fence: Fence | Fences,
    rooms: RoomParts,
    sessions: SessionManager,
    context: NodeContext,
) -> SocketDependencies:
    return SocketDependencies(
        hub=hub,
        admission=SocketAdmission(hub, context.monotonic),
        fence=fence,
        deadlines=DeadlineTimers(hub, sessions, context.now),
        messenger=Messenger(hub, given.control, given.sealer),
        rooms=rooms.requests,
        sessions=sessions,
        context=context,
    )


def _follower(
    part: _ShardProofs,
    dispatch: Dispatch,
    receipts: PendingReceipts,
    nodes: Callable[[], int],
    context: NodeContext,
) -> Follower:
    return Follower(
        part.control,
        dispatch.apply,
        part.reconciler.after_loss,
        part.fence.note_followed,
        context.monotonic,
        receipts.are_awaited,
        nodes,
    )


def _dispatch(
    part: _ShardProofs, sealer: Sealer, sockets: SocketDependencies, receipts: PendingReceipts
) -> Dispatch:
    rejected_entries = RejectedEntries(sockets.context)
    rejected_entries.subscribe(part.reconciler.sweep_soon)
    ended_sessions = EndedSessions(
        sockets.hub, part.reconciler, part.control, receipts, sockets.context
    )
    return Dispatch(
        sockets.hub,
        ended_sessions,
        receipts,
        sockets.deadlines,
        sockets.messenger,
        PublishedData(sockets.hub, sealer, sockets.rooms.entrance, sockets.rooms.acknowledging),
        rejected_entries,
    )
