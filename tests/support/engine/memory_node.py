"""A node on the store in memory and on virtual time, for unit tests of the engine's parts."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Final

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.counts import Counts
from server.core.limits import LIMITS, Limits
from server.core.reasons import NoSession
from server.core.room_frames import SharedFrame
from server.core.session import Device, Rules, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.engine import EngineDependencies, Timing, build_engine
from server.realtime.fence import Fence
from server.realtime.lease import Lease
from server.realtime.reconciler import Reconciler
from server.realtime.socket import Socket
from server.sessions.verdicts import LiveSession
from tests.simulation.memory import Memory
from tests.simulation.network import Link
from tests.simulation.remote_store import RemoteStore
from tests.simulation.servers import Balancer, Server
from tests.support.engine.keys import KEY
from tests.support.engine.of_single import of_single
from tests.support.engine.virtual_time import monotonic, settle, virtual_loop

LEASE: Final = timedelta(seconds=1)
TIMING: Final = Timing(
    node_lease=LEASE,
    hold_timeout=timedelta(seconds=3),
    sweep_interval=timedelta(seconds=20),
    termination_wait=timedelta(seconds=2.5),
)
RULES: Final = Rules()
SEALER: Final = Sealer(Keyring.from_secrets([KEY]))


def store_time() -> float:
    """Return the time of the store's clock."""
    return monotonic() + 1e9


def new_memory(rules: Rules = RULES, shards: int = 1) -> Memory:
    """Return an empty store."""
    return Memory(store_time, rules, LEASE.total_seconds(), shards)


class Recorded:
    """What a node counted and recorded.

    Attributes:
        calls: the counting methods that were called, with their arguments, in order.
        events: the events of the audit trail with their facts, in order.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.events: list[tuple[AuditEvent, dict[str, Any]]] = []
        names = Counts.__dataclass_fields__
        self.counts = Counts(**{name: self._counting(name) for name in names})

    def record(self, event: AuditEvent, **facts: Any) -> None:
        """Implement `Record`."""
        self.events.append((event, facts))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of all calls of a counting method."""
        return [call[1:] for call in self.calls if call[0] == name]

    def _counting(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, *args))


class Peer:
    """Implements `Transport`, and stores what its client would receive.

    Attributes:
        frames: the frames, in order.
        code: the code of the close frame; None while the socket is open.
        reason: the word in the close frame.
        is_gone: whether writing fails.
    """

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.code: int | None = None
        self.reason = ""
        self.is_gone = False
        self._reads = asyncio.Event()
        self._reads.set()

    def stop_reading(self) -> None:
        """Take no further frame before `read_on`."""
        self._reads.clear()

    def read_on(self) -> None:
        """Take frames again."""
        self._reads.set()

    def types(self) -> list[str]:
        """Return the types of all frames."""
        return [frame["type"] for frame in self.frames]

    async def write(self, frame: str) -> None:
        """See `Transport`."""
        if self.is_gone:
            raise ConnectionError
        self.write_now(frame)
        await self._reads.wait()

    def begin(self, frame: SharedFrame) -> Awaitable[None] | None:
        """See `Transport`."""
        if self.is_gone:
            raise ConnectionError
        self.write_now(frame)
        return None if self._reads.is_set() else self._read_it()

    async def _read_it(self) -> None:
        await self._reads.wait()

    def write_now(self, frame: str) -> None:
        """See `Transport`."""
        assert self.code is None, "a frame after the close frame"
        self.frames.append(json.loads(frame))

    def close(self, code: int, reason: str, last: str | None = None) -> None:
        """See `Transport`."""
        if last is not None:
            self.write_now(last)
        assert self.code is None, "a second close frame"
        self.code, self.reason = code, reason


class Client:
    """A socket with its peer.

    Attributes:
        socket: the server's side.
        peer: the client's side.
    """

    def __init__(
        self, node: "MemoryNode", name: str, *, recent_only: bool = False, limits: Limits = LIMITS
    ) -> None:
        self.peer = Peer()
        self.exceeded: list[str] = []
        self.socket = Socket(
            name,
            self.peer,
            node.engine.socket_dependencies,
            self._forward,
            recent_only=recent_only,
            limits=limits,
            on_limit=self.exceeded.append,
        )

    async def _forward(self, session: Session, data: Any) -> None:
        await self.socket.forward(session, data)


class MemoryNode:
    """An engine on a store in memory.

    Attributes:
        memory: the store's state.
        link: the connection to the store, which can be cut.
        store: the store as this node reaches it.
        recorded: what the node counted and recorded.
        context: the node's context.
        engine: the engine.
        fence: its fence.
        lease: its lease.
        reconciler: its reconciler.
    """

    def __init__(
        self, memory: Memory | None = None, *, name: str = "n1", rules: Rules = RULES
    ) -> None:
        chance = random.Random(name)  # noqa: S311 - it must repeat itself
        self.memory = memory or new_memory(rules)
        self.link = Link(chance)
        self.store = RemoteStore(Balancer(Server(self.memory)), self.link, name)
        self.recorded = Recorded()
        self.context = NodeContext(
            name,
            store_time,
            monotonic,
            chance.randbytes,
            self.recorded.counts,
            self.recorded.record,
        )
        self.given = EngineDependencies(
            self.store, self.store, self.store, self.store.rooms, SEALER
        )
        self.engine = build_engine(self.given, rules, TIMING, self.context)
        self.fence = of_single(self.engine.fence, Fence)
        self.lease = of_single(self.engine.lease, Lease)
        self.reconciler = of_single(self.engine.reconciler, Reconciler)
        self._names = Counter[str]()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything, and wait until the node may serve."""
        await self.engine.follower.start()
        for work in (self.engine.follower.run(), *self.engine.serving()):
            self._tasks.append(virtual_loop().create_task(work))
        await self.engine.fence.opened()

    def open_fence(self) -> None:
        """Let the node serve, without anything that runs and for as long as the test takes."""
        self.fence.note_listed(float("inf"))
        self.fence.note_followed(float("inf"))
        self.fence._held_at = None

    def cut(self) -> None:
        """Let no request reach the store, and no reply come back."""
        self.link.loses_requests = self.link.loses_replies = True

    def heal(self) -> None:
        """Let requests reach the store again."""
        self.link.heal()

    async def sign_in(self, user: str = "ann", previous: LiveSession | None = None) -> LiveSession:
        """Return a new session of a user."""
        epochs = await self.engine.sessions.epochs(user)
        made = await self.engine.sessions.sign_in(user, epochs, Device("a browser"), previous)
        assert isinstance(made, LiveSession)
        return made

    def client(self, *, recent_only: bool = False, limits: Limits = LIMITS) -> Client:
        """Return a socket that is not open yet."""
        self._names["socket"] += 1
        name = f"{self.context.node}-{self._names['socket']}"
        return Client(self, name, recent_only=recent_only, limits=limits)

    async def connect(self, found: LiveSession | Session | NoSession | None) -> Client:
        """Return a socket that was opened with what its cookie was found to be."""
        client = self.client()
        await client.socket.open(found.session if isinstance(found, LiveSession) else found)
        return client


def serving_node(rules: Rules = RULES) -> MemoryNode:
    """Return a node that may serve, and follows no stream."""
    node = MemoryNode(rules=rules)
    node.open_fence()
    return node


async def connected(node: MemoryNode) -> Client:
    """Return an open socket of a new session."""
    client = await node.connect(await node.sign_in())
    await settle()
    return client
