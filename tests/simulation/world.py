"""Nodes with the real engine on virtual time, and what they must never do."""

import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable, WriteConflict
from server.core.events import MessageSent
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.session import Device, Json, Rules, Session
from server.core.token import Token
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.engine import Engine, EngineDependencies, Timing, build_engine
from server.realtime.socket import Socket
from server.sessions.verdicts import LiveSession
from server.store.clock import StoreClock
from server.store.contract import Epochs, Tombstone
from tests.simulation.memory import Memory
from tests.simulation.network import Link
from tests.simulation.remote_store import RemoteStore
from tests.simulation.servers import Balancer, Server
from tests.simulation.truth import Truth
from tests.simulation.virtual import NODE, VirtualLoop
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
NO_CLIENT = cast("Redis", None)
"""A node's clock asks no store by itself here; `RemoteStore` brings its readings."""
SEALER = Sealer(Keyring.from_secrets([KEY]))
SILENT = ('{"type":"ended"', '{"type":"hold"', '{"type":"drain"')
"""Frames that serve no session."""

Change = Callable[[Engine], None]
"""Breaks an engine on purpose, to show that the checks can fail."""


class Wire:
    """A transport whose peer reads everything at once."""

    def __init__(self, world: "World", node: "Node", sid: str) -> None:
        self._world = world
        self._node = node
        self.sid = sid
        self.code: int | None = None
        self.is_excused = False
        self.socket: Socket | None = None

    async def write(self, frame: str) -> None:
        """See `Transport`."""
        self.write_now(frame)

    def write_now(self, frame: str) -> None:
        """See `Transport`."""
        if self.code is not None:
            self._world.truth.violations.append(f"a frame of {self.sid} behind its close frame")
        if not frame.startswith(SILENT):
            self._world.truth.served(self._node, self.sid, self._world.loop.now, frame[:24])

    def close(self, code: int, reason: str) -> None:
        """See `Transport`."""
        del reason
        self.code = code
        self.is_excused = self._world.truth.could_not_know_of(self._node, self.sid)

    async def forward(self, session: Session, data: Json) -> None:
        """Do what the handler does with a message."""
        assert self.socket is not None
        await self.socket.forward(session, data)


class _CheckedControlLog:
    """A node's control log that checks what its sockets send."""

    def __init__(
        self, remote: RemoteStore, send: Callable[[MessageSent], Coroutine[Any, Any, None]]
    ) -> None:
        self.tail, self.read, self.disconnect = remote.tail, remote.read, remote.disconnect
        self.acknowledge = remote.acknowledge
        self.send = send


class Node:
    """One server process."""

    def __init__(self, world: "World", name: str, change: Change, rules: Rules) -> None:
        self.name = name
        self.world = world
        self.link = Link(world.chance)
        self.wires: list[Wire] = []
        clock = StoreClock(NO_CLIENT, world.loop.time)
        remote = RemoteStore(world.balancer, self.link, name, rules, clock, world.replicas)
        self.remote = remote
        control = _CheckedControlLog(remote, self.pass_on)
        self.engine = build_engine(
            EngineDependencies(
                store=remote,
                registry=remote,
                control=control,
                sealer=SEALER,
            ),
            rules,
            TIMING,
            quiet_context(
                clock.now,
                node=name,
                monotonic=world.loop.time,
                random=world.chance.randbytes,
            ),
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

    async def pass_on(self, message: MessageSent) -> None:
        """Send a message to the user's other sockets, which counts as serving its session."""
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

    def __init__(self, seed: int, change: Change) -> None:
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
        node = Node(self, f"node{next(self._numbers)}", self.change, rules)
        await node.spawn(node.start())
        self.nodes.append(node)

    async def sign_in(self, node: Node, user: str) -> None:
        """Sign a user in on a node."""
        try:
            epochs: Epochs = await node.engine.sessions.epochs(user)
            made = await node.engine.sessions.sign_in(user, epochs, Device(), None)
        except StoreUnavailable:
            return
        if isinstance(made, LiveSession) and made.token is not None:
            self.tokens.append((made.token, made.session))

    def check(self, node: str, receipt: Receipt) -> None:
        """Note which sessions no node may serve any more, according to a receipt."""
        tokens = [token for token, _ in self.tokens]
        ended = {sid for sid, each in self._tombstones() if each.end_id == receipt.end_id}
        self.truth.received(node, receipt, [token for token in tokens if token.sid in ended])

    def _tombstones(self) -> list[tuple[str, Tombstone]]:
        found = [(token.sid, self.memory.load(token.sid)) for token, _ in self.tokens]
        return [(sid, each) for sid, each in found if isinstance(each, Tombstone)]
