"""Builds what serves the sessions of one node, on any store.

Everything that differs between a real process and a test comes in from outside: the store, the
clocks, the randomness. `NodeContext` carries the latter.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from server.core.context import NodeContext
from server.core.nodes import NodeWatch
from server.core.session import Rules
from server.crypto.sealer import Sealer
from server.realtime.deadlines import DeadlineTimers
from server.realtime.dispatch import Dispatch
from server.realtime.ended_sessions import EndedSessions
from server.realtime.fence import Fence
from server.realtime.follower import Follower
from server.realtime.hub import Hub
from server.realtime.lease import Lease
from server.realtime.messenger import Messenger
from server.realtime.reconciler import Reconciler
from server.realtime.rejected_entries import RejectedEntries
from server.realtime.socket_admission import SocketAdmission
from server.realtime.socket_counts import SocketCountReporter
from server.realtime.socket_dependencies import SocketDependencies
from server.sessions.manager import SessionManager
from server.sessions.pending_receipts import PendingReceipts
from server.sessions.terminations import Terminations
from server.store.contract import (
    NodeRegistry,
    SessionStore,
)
from server.store.stream_contract import ControlLog


@dataclass(frozen=True, slots=True)
class EngineDependencies:
    """What an engine is built on.

    Attributes:
        store: sessions, their index and their ends.
        registry: the lists of nodes.
        control: the streams.
        sealer: seals messages between sockets.
    """

    store: SessionStore
    registry: NodeRegistry
    control: ControlLog
    sealer: Sealer


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
    """

    sessions: SessionManager
    terminations: Terminations
    hub: Hub
    fence: Fence
    follower: Follower
    lease: Lease
    socket_counts: SocketCountReporter
    reconciler: Reconciler
    socket_dependencies: SocketDependencies

    def serving(self) -> list[Coroutine[None, None, None]]:
        """Return what runs, besides the follower, while the node serves."""
        return [
            each.run() for each in (self.fence, self.lease, self.socket_counts, self.reconciler)
        ]

    def close(self) -> None:
        """Cancel what would still run by itself."""
        self.socket_dependencies.deadlines.close()


def build_engine(
    given: EngineDependencies, rules: Rules, timing: Timing, context: NodeContext
) -> Engine:
    """Build an engine. Nothing runs yet."""
    sessions = SessionManager(given.store, rules, context)
    watch = NodeWatch(timing.node_lease)
    receipts = PendingReceipts(given.registry, watch, context)
    terminations = Terminations(given.store, receipts, timing.termination_wait, context)
    hub = Hub()
    reconciler = Reconciler(hub, sessions, timing.sweep_interval, context)
    fence = Fence(
        hub, reconciler.after_hold, timing.node_lease, timing.hold_timeout, context.monotonic
    )
    sockets = _socket_dependencies(given, hub, fence, sessions, context)
    socket_counts = SocketCountReporter(given.store, context.node)
    hub.subscribe(socket_counts.sockets_changed)
    hub.subscribe(sockets.deadlines.sockets_changed)
    dispatch = _dispatch(given, sockets, reconciler, receipts)
    return Engine(
        sessions=sessions,
        terminations=terminations,
        hub=hub,
        fence=fence,
        follower=Follower(
            given.control,
            dispatch.apply,
            reconciler.after_loss,
            fence.note_followed,
            context.monotonic,
        ),
        lease=Lease(given.registry, watch, fence, timing.node_lease, context),
        socket_counts=socket_counts,
        reconciler=reconciler,
        socket_dependencies=sockets,
    )


def _socket_dependencies(
    given: EngineDependencies,
    hub: Hub,
    fence: Fence,
    sessions: SessionManager,
    context: NodeContext,
) -> SocketDependencies:
    return SocketDependencies(
        hub=hub,
        admission=SocketAdmission(hub, context.monotonic),
        fence=fence,
        deadlines=DeadlineTimers(hub, sessions, context.now),
        messenger=Messenger(hub, given.control, given.sealer),
        sessions=sessions,
        context=context,
    )


def _dispatch(
    given: EngineDependencies,
    sockets: SocketDependencies,
    reconciler: Reconciler,
    receipts: PendingReceipts,
) -> Dispatch:
    rejected_entries = RejectedEntries(sockets.context)
    rejected_entries.subscribe(reconciler.sweep_soon)
    ended_sessions = EndedSessions(
        sockets.hub, reconciler, given.control, receipts, sockets.context
    )
    return Dispatch(
        sockets.hub,
        ended_sessions,
        receipts,
        sockets.deadlines,
        sockets.messenger,
        rejected_entries,
    )
