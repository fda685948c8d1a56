"""Nodes with the real engine on virtual time, and what they must never do."""

import random
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable, WriteConflict
from server.core.events import Event, Message, MessageSent, SessionsEnded
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.session import Device, Rules, Session
from server.core.token import Token
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.engine import Engine, EngineDependencies, Timing, build_engine
from server.realtime.socket import Socket
from server.sessions.verdicts import LiveSession
from server.store.clock import StoreClock
from server.store.contract import Epochs, Tombstone
from server.store.stream_contract import Batch, Positions, always
from tests.simulation.memory import Memory
from tests.simulation.network import Link
from tests.simulation.remote_store import RemoteStore
from tests.simulation.room_truth import RoomTruth
from tests.simulation.servers import Balancer, Server
from tests.simulation.truth import Truth
from tests.simulation.virtual import NODE, VirtualLoop
from tests.simulation.wire import Wire
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context

LEASE = 1.0
"""Seconds. No node may serve a session for longer than this after its end."""
TIMING = Timing(
    node_lease=timedelta(seconds=LEASE),
    hold_timeout=timedelta(seconds=3),
    sweep_interval=timedelta(seconds=20),
    termination_wait=timedelta(seconds=2.5),
)
RULES = Rules(rotation_interval=timedelta(hours=1))
HASTY = replace(RULES, idle_timeout=timedelta(seconds=0.5))
"""Rules of a node that runs with other settings than the rest, as in a rolling change."""
EARLIER = 2
"""The third node, if there is one, has an earlier version, as in a rolling upgrade."""
NO_CLIENT = cast("Redis", None)
"""A node's clock asks no store by itself here; `RemoteStore` brings its readings."""
SEALER = Sealer(Keyring.from_secrets([KEY]))

Change = Callable[[Engine], None]
"""Breaks an engine on purpose, to show that the checks can fail."""


class _CheckedControlLog:
    """A node's control log that checks what its sockets send."""

    def __init__(
        self, remote: RemoteStore, send: Callable[[Message], Coroutine[Any, Any, None]]
    ) -> None:
        self.tail, self.read, self.disconnect = remote.tail, remote.read, remote.disconnect
        self.acknowledge = remote.acknowledge
        self.acknowledge_together = remote.acknowledge_together
        self.send = send


class EarlierControlLog(_CheckedControlLog):
    """The control log of a node of an earlier version, which knows only reply streams."""

    def __init__(
        self, remote: RemoteStore, send: Callable[[Message], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(remote, send)
        self._remote = remote
        self.read = self._read

    async def _read(self, positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        del awaits
        batch = await self._remote.read(positions, lambda: False)
        return replace(batch, events=[_as_before(each) for each in batch.events])


def _as_before(event: Event) -> Event:
    """Return what an earlier version understands of an event."""
    if isinstance(event, SessionsEnded):
        return replace(event, is_heard_together=False)
    return event


class Node:
    """One server process."""

    def __init__(
        self, world: "World", name: str, change: Change, rules: Rules, *, is_earlier: bool = False
    ) -> None:
        self.name = name
        self.world = world
        self.link = Link(world.chance)
        self.wires: list[Wire] = []
        clock = StoreClock(NO_CLIENT, world.loop.time)
        remote = RemoteStore(world.balancer, self.link, name, rules, clock, world.replicas)
        self.remote = remote
        kind = EarlierControlLog if is_earlier else _CheckedControlLog
        control = kind(remote, self.pass_on)
        if is_earlier:
            world.memory.earlier.add(name)
        self.context = quiet_context(
            clock.now, node=name, monotonic=world.loop.time, random=world.chance.randbytes
        )
        self.engine = build_engine(
            EngineDependencies(
                store=remote,
                registry=remote,
                control=control,
                rooms=remote.rooms,
                sealer=SEALER,
            ),
            rules,
            TIMING,
            self.context,
        )
        change(self.engine)

    def spawn(self, work: Any) -> Any:
        """Run a coroutine on this node, which may be paused."""
        context = copy_context()
        context.run(NODE.set, self.name)
        return self.world.loop.create_task(work, context=context)

    async def start(self) -> None:
        """Start everything, and wait until the node may serve."""
        await self.remote.synchronise()
        await self.engine.follower.start()
        for work in (self.engine.follower.run(), *self.engine.serving()):
            self.spawn(work)
        await self.engine.fence.opened()

    async def open_socket(self, token: Token) -> None:
        """Do what the handler does with a handshake."""
        found: Session | NoSession | None
        try:
            self.engine.fence.require()
            checked = await self.engine.sessions.check(token, may_rotate=False)
            found = checked.session if isinstance(checked, LiveSession) else NoSession()
        except (StoreUnavailable, WriteConflict):
            found = None
        wire = Wire(self.world, self, token.sid)
        wire.socket = Socket(
            f"{self.name}-{len(self.wires)}",
            wire,
            self.engine.socket_dependencies,
            wire.forward,
            recent_only=False,
            hooks=wire,
        )
        self.wires.append(wire)
        await wire.socket.open(found)

    async def request(self, token: Token) -> None:
        """Do what the handler does with a request that reads."""
        began = self.world.loop.now
        try:
            self.engine.fence.require()
            checked = await self.engine.sessions.check(token)
        except (StoreUnavailable, WriteConflict):
            return
        if isinstance(checked, LiveSession) and self.engine.fence.is_open:
            self.world.truth.served(self, token.sid, began, "a request")

    async def write(self, token: Token) -> None:
        """Do what the handler does with a request that writes data."""
        try:
            self.engine.fence.require()
            checked = await self.engine.sessions.check(token)
            if isinstance(checked, LiveSession):
                value = self.world.chance.random()
                await self.engine.sessions.write(checked, {"value": value})
        except (StoreUnavailable, WriteConflict):
            return

    async def message(self) -> None:
        """Receive a message on one of the sockets here."""
        open_wires = [wire for wire in self.wires if wire.code is None]
        if open_wires:
            wire = self.world.chance.choice(open_wires)
            assert wire.socket is not None
            await wire.socket.receive('{"type":"message","data":1}')

    async def pass_on(self, message: Message) -> None:
        """Send a message to the user's other sockets, which counts as serving its session."""
        if not isinstance(message, MessageSent):
            await self.remote.send(message)
            return
        wire = self.wires[int(message.connection.partition("-")[2])]
        self.world.truth.served(self, wire.sid, self.world.loop.now, "a message out")
        await self.remote.send(message)

    async def end(self, what: str, session: Session) -> Receipt | None:
        """End sessions, and check the receipts; return the last one, if there is any."""
        ends, before = self.engine.terminations, list(self.world.tokens)
        try:
            if what == "session":
                receipts = [await ends.one(session, Reason.LOGOUT)]
            elif what == "user":
                receipts = [await ends.all_of(session.user or "", Reason.ADMIN)]
            else:
                receipts = await ends.everything(Reason.ADMIN)
        except StoreUnavailable:
            return None
        for receipt in receipts:
            self.world.check(self.name, receipt)
        if what == "user":
            covered = [token for token, made in before if made.user == session.user]
            self.world.truth.received(self.name, receipts[0], covered)
        return receipts[-1]


class World:
    """A store, some nodes, some people, and a seed."""

    def __init__(self, seed: int, change: Change, *, has_rooms: bool = False) -> None:
        self.has_rooms = has_rooms
        self.chance = random.Random(seed)  # noqa: S311 - it must repeat itself
        self.loop = VirtualLoop()
        self.truth = Truth(self.loop.time, LEASE)
        self.clock_error = 0.0
        self.balancer = Balancer(Server(Memory(self.clock, RULES, LEASE)))
        self.truth.follow(self.server)
        self.is_failing_over = False
        self.replicas = self.chance.choice([0, 0, 1])
        self.tokens: list[tuple[Token, Session]] = []
        self.change = change
        self.nodes: list[Node] = []
        self.begin_session: Callable[[Node, str], Awaitable[object]] = self._begin_session
        self.rooms = RoomTruth(self.loop.time)
        self.rooms.follow(self.server)
        self._numbers = count()

    @property
    def server(self) -> Server:
        """Where new connections lead."""
        return self.balancer.target

    @property
    def memory(self) -> Memory:
        """The data that are true: those of the master."""
        return self.server.memory

    def clock(self) -> float:
        """Return the time of the store's clock."""
        return self.loop.now + 1e9 + self.clock_error

    async def add_node(self, rules: Rules = RULES) -> None:
        """Start another node."""
        number = next(self._numbers)
        is_earlier = number == EARLIER
        node = Node(self, f"node{number}", self.change, rules, is_earlier=is_earlier)
        await node.spawn(node.start())
        self.nodes.append(node)

    async def sign_in(self, node: Node, user: str) -> None:
        """Sign a user in on a node."""
        try:
            made = await self.begin_session(node, user)
        except StoreUnavailable:
            return
        if isinstance(made, LiveSession) and made.token is not None:
            self.tokens.append((made.token, made.session))

    async def _begin_session(self, node: Node, user: str) -> object:
        """Begin a session as an application does that has its own accounts."""
        epochs: Epochs = await node.engine.sessions.epochs(user)
        return await node.engine.sessions.sign_in(user, epochs, Device(), None)

    def user_of(self, sid: str) -> str:
        """Return whose session this is."""
        return next((made.user or "" for _, made in self.tokens if made.sid == sid), "")

    def check(self, node: str, receipt: Receipt) -> None:
        """Note which sessions no node may serve any more, according to a receipt."""
        tokens = [token for token, _ in self.tokens]
        ended = {sid for sid, each in self._tombstones() if each.end_id == receipt.end_id}
        self.truth.received(node, receipt, [token for token in tokens if token.sid in ended])

    def _tombstones(self) -> list[tuple[str, Tombstone]]:
        found = [(token.sid, self.memory.load(token.sid)) for token, _ in self.tokens]
        return [(sid, each) for sid, each in found if isinstance(each, Tombstone)]
