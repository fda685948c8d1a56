"""A fleet of real engines on virtual time, with a million sockets and ten million sessions.

What is real here: the engine of every node, that is, its follower, fence, lease, receipts, ends,
acknowledgements and reports of sockets; and what it sends to the store. What is modelled: a
socket is not an object but one of so many sessions, of which a node knows by its number that it is
here; requests and handshakes only occupy the store; the CPU of nodes takes no time.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import quantiles
from typing import Any, Final, cast

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.limits import RETRY_MS
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt, State
from server.core.session import Rules
from server.core.shared_pace import SharedPace
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.engine import Engine, EngineDependencies, Timing, build_engine
from server.realtime.follower import Follower
from server.realtime.hub import Connection, Hub, SessionSockets
from server.store.clock import StoreClock
from tests.simulation.fleet_store import (
    PER_SOCKET,
    Costs,
    FleetMemory,
    FleetRemote,
    FleetServer,
    number_of,
    sid_of,
    user_of,
)
from tests.simulation.network import Link
from tests.simulation.virtual import NODE, VirtualLoop
from tests.simulation.world import EarlierControlLog
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context

TIMING: Final = Timing(
    node_lease=timedelta(seconds=5),
    hold_timeout=timedelta(seconds=30),
    sweep_interval=timedelta(days=1),
    termination_wait=timedelta(seconds=2),
)
"""The defaults, but for the sweep: it is in the part of the store's core that others use."""
RULES: Final = Rules()
SEALER: Final = Sealer(Keyring.from_secrets([KEY]))
WAY: Final = 0.001
"""Seconds between a node and the store, at most."""
COMPARED: Final = 100
"""Sessions that a node really compares with the store; each stands for many."""
OPENINGS: Final = 2_200
"""Sockets that a node opens in a second (docs/performance.md)."""
COME_BACK: Final = tuple(each / 1000 for each in RETRY_MS)
"""Seconds after which clients come back from a lost connection."""
TICK: Final = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """How large a fleet is.

    Attributes:
        nodes: processes.
        sockets: open at the same time, on all nodes.
        sessions: in the store.
        busy: the part of the store's core that requests and sweeps use.
        earlier: whether all nodes have the version without acknowledgements for all.
    """

    nodes: int
    sockets: int
    sessions: int
    busy: float = 0.0
    earlier: bool = False


class CountedHub(Hub):
    """The sockets of a node as numbers: every tenth session has one, in turn on each node.

    Attributes:
        place: the number of this node.
        nodes: how many there are.
        arrived: further sessions, whose sockets came from a node that was lost.
        closed: the sessions whose sockets were closed.
    """

    place: int
    nodes: int
    arrived: set[int]
    closed: set[int]

    def has(self, number: int) -> bool:
        """Return whether a session has a socket here now."""
        turn, rest = divmod(number, PER_SOCKET)
        is_own = rest == 0 and turn % self.nodes == self.place
        return (is_own or number in self.arrived) and number not in self.closed

    def __contains__(self, sid: object) -> bool:
        """See `Hub`."""
        return self.has(number_of(cast("str", sid)))

    def find(self, sids: Iterable[str]) -> list[SessionSockets]:
        """See `Hub`."""
        return [
            SessionSockets(sid, user_of(number_of(sid)), "", 0.0) for sid in sids if sid in self
        ]

    def sessions(self) -> Iterator[SessionSockets]:
        """Return some of the sessions here; whoever compares them counts each many times."""
        numbers = (PER_SOCKET * (self.place + each * self.nodes) for each in range(COMPARED))
        yield from self.find(sid_of(each) for each in numbers)

    def close_sessions(self, sids: Iterable[str], no_session: NoSession) -> int:
        """See `Hub`."""
        del no_session
        found = [number_of(sid) for sid in sids if sid in self]
        self.closed.update(found)
        return len(found)


def without_pace(engine: Engine) -> None:
    """Let a node read and report as often as nodes of the earlier version did."""
    cast("Follower", engine.follower)._nodes = lambda: 1
    engine.socket_counts._pace = SharedPace(math.inf, math.inf)


class FleetNode:
    """One process: the real engine on a hub that counts."""

    def __init__(self, fleet: "Fleet", place: int) -> None:
        self.name = f"node{place:03d}"
        self.fleet = fleet
        size = fleet.size
        link = Link(fleet.chance)
        link.slowest = WAY
        clock = StoreClock(cast("Redis", None), fleet.loop.time)
        here = size.sockets // size.nodes
        compares = max(1, here // COMPARED)
        self.remote = FleetRemote(fleet.server, link, self.name, RULES, clock, compares)
        context = quiet_context(
            clock.now,
            node=self.name,
            monotonic=fleet.loop.time,
            random=fleet.chance.randbytes,
        )
        control: Any = self.remote
        if size.earlier:
            fleet.memory.earlier.add(self.name)
            control = EarlierControlLog(self.remote, self.remote.send)
        given = EngineDependencies(
            store=self.remote,
            registry=self.remote,
            control=control,
            rooms=self.remote.rooms,
            sealer=SEALER,
        )
        self.engine: Engine = build_engine(given, RULES, TIMING, context)
        self.hub = cast("CountedHub", self.engine.hub)
        self.hub.__class__ = CountedHub
        self.hub.place, self.hub.nodes = place, size.nodes
        self.hub.arrived, self.hub.closed = set(), set()
        fleet.change(self.engine)

    def spawn(self, work: Any) -> Any:
        """Run a coroutine on this node."""
        context = copy_context()
        context.run(NODE.set, self.name)
        return self.fleet.loop.create_task(work, context=context)

    async def start(self) -> None:
        """Start what serves, and wait until the node may serve. Rooms are not in use."""
        await self.remote.synchronise()
        await self.engine.follower.start()
        parts = (self.engine.fence, self.engine.lease, self.engine.socket_counts)
        for work in (self.engine.follower.run(), *(each.run() for each in parts)):
            self.spawn(work)
        await self.engine.fence.opened()

    async def take_over(self, numbers: Sequence[int]) -> None:
        """Open the sockets of some sessions, which occupies the store for two loads each."""
        await self.fleet.server.work(2 * len(numbers) * self.fleet.server.costs.load)
        self.hub.arrived.update(numbers)
        for each in numbers:
            socket = cast("dict[str, Connection]", {"c": None})
            sockets = SessionSockets(sid_of(each), user_of(each), "", 0.0, socket)
            self.engine.socket_counts.sockets_changed(sockets)

    async def end(self, number: int) -> None:
        """End a session, and note the receipt."""
        session = self.fleet.memory.session(number)
        try:
            receipt = await self.engine.terminations.one(session, Reason.LOGOUT)
        except StoreUnavailable:
            self.fleet.failed += 1
            return
        self.fleet.take(number, receipt)


@dataclass
class Receipts:
    """What the receipts said.

    Attributes:
        latencies: in milliseconds, of those that say what every node did.
        states: how many there were of each.
    """

    latencies: list[float] = field(default_factory=list)
    states: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))

    def latency(self, percent: int) -> float:
        """Return a percentile, in milliseconds."""
        if len(self.latencies) < 2:
            return self.latencies[0] if self.latencies else float("nan")
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


class Fleet:
    """Nodes, a store, and what is measured.

    Args:
        size: of the fleet.
        costs: of the store's commands.
        seed: decides who ends what, and all delays.
        change: breaks each engine on purpose.

    Attributes:
        failed: ends that the store did not take in time.
        lies: receipts that said that nobody serves a session, while a node had its socket.
    """

    def __init__(
        self,
        size: Size,
        costs: Costs,
        seed: int = 1,
        change: Callable[[Engine], object] = id,
    ) -> None:
        self.size = size
        self.change = change
        self.chance = random.Random(seed)  # noqa: S311 - it must repeat itself
        self.loop = VirtualLoop()
        lease = TIMING.node_lease.total_seconds()
        self.memory = FleetMemory(lambda: self.loop.now + 1e9, RULES, lease, size.sessions)
        self.server = FleetServer(self.memory, costs, size.busy)
        self.nodes: list[FleetNode] = []
        self.receipts = Receipts()
        self.failed = 0
        self.lies: list[str] = []

    async def start(self) -> None:
        """Start all nodes, at moments of their own, and let them settle."""
        self.nodes = [FleetNode(self, place) for place in range(self.size.nodes)]
        starting = [each.spawn(self._start(each)) for each in self.nodes]
        await asyncio.gather(*starting)
        await asyncio.sleep(5)

    async def _start(self, node: FleetNode) -> None:
        await asyncio.sleep(self.chance.uniform(0, 2))
        await node.start()

    async def end_sessions(self, rate: float, seconds: float) -> None:
        """End random sessions from random nodes, at random moments, so many a second."""
        until = self.loop.now + seconds
        while self.loop.now < until:
            await asyncio.sleep(self.chance.expovariate(rate))
            number = self.chance.randrange(self.size.sessions)
            node = self.chance.choice(self.alive)
            node.spawn(node.end(number))

    def take(self, number: int, receipt: Receipt) -> None:
        """Note a receipt, and check what it says."""
        self.receipts.states[receipt.state] += 1
        if receipt.state is State.PENDING:
            return
        self.receipts.latencies.append(receipt.elapsed_ms)
        for node in self.nodes:
            if node.hub.has(number) and node.engine.fence.is_open:
                self.lies.append(f"{node.name} serves {number} in spite of its receipt")

    def lose(self, share: float) -> list[FleetNode]:
        """Kill the last nodes, and return them."""
        lost = self.nodes[round(len(self.nodes) * (1 - share)) :]
        for each in lost:
            self.loop.forget(each.name)
        return lost

    @property
    def alive(self) -> list[FleetNode]:
        """The nodes that were not lost."""
        return [each for each in self.nodes if not self.loop.is_paused(each.name)]

    @property
    def open(self) -> int:
        """How many living nodes may serve."""
        return sum(each.engine.fence.is_open for each in self.alive)

    async def come_back(self, lost: Sequence[FleetNode]) -> None:
        """Let the clients of lost nodes come to the others, each at a moment of its own."""
        here = self.size.sockets // self.size.nodes
        everybody = [
            PER_SOCKET * (node.hub.place + each * self.size.nodes)
            for node in lost
            for each in range(here)
        ]
        self.chance.shuffle(everybody)
        soonest, latest = COME_BACK
        await asyncio.sleep(soonest)
        per_tick = len(everybody) * TICK / (latest - soonest) / len(self.alive)
        most = max(1, round(min(per_tick, OPENINGS * TICK)))
        while everybody:
            for node in self.alive:
                numbers, everybody = everybody[-most:], everybody[:-most]
                node.spawn(node.take_over(numbers))
            await asyncio.sleep(TICK)
