"""A store for a whole fleet: its ten million sessions are numbers, its core is one queue.

What is real here: streams, lists of nodes, ends, tombstones, acknowledgements. What is modelled:
a session that has not ended is no record but a number from which it can be computed; and each
command occupies the store's only core for as long as it did on a real Valkey.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from server.core.events import Acknowledgement, Event, Message
from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.session import Rules, Session
from server.store.clock import StoreClock
from server.store.connection import execute_once
from server.store.contract import Ended, Loaded, Stored
from server.store.control_log import history_of
from server.store.stream_contract import Batch, Positions, always
from tests.simulation.memory import Memory
from tests.simulation.network import Client, Link
from tests.simulation.remote_store import RemoteStore, _placed
from tests.simulation.servers import Balancer, Server
from tests.simulation.stream import Stream

PER_READ = 100
BLOCK = 0.5
PATIENCE = 1.5
"""Seconds to wait for an answer: with a quarter of a second, as elsewhere, a full store would only
be asked again."""
MICRO = 1e-6
PER_SOCKET = 10
"""One of so many sessions has a socket."""
PER_USER = 10
"""Sessions of each user."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What one of each costs the store, in microseconds of its core (benchmarks/capacity).

    Attributes:
        read: a read of the streams that finds something.
        entry: each further entry that a read brings.
        acknowledge: an acknowledgement.
        renew: a renewal of a lease.
        end: an end.
        load: the record of a session, one of many that are read together.
        count: the new number of sockets of a session.
    """

    read: float
    entry: float
    acknowledge: float
    renew: float
    end: float
    load: float
    count: float


@dataclass(frozen=True, slots=True)
class _Work:
    """A command, for the store's core."""

    kind: str
    cost: float


_OTHER = _Work("other", 0.0)
_WORK: ContextVar[_Work] = ContextVar("work", default=_OTHER)


class FleetServer(Server):
    """A store whose commands wait for their turn on one core.

    Args:
        memory: its data.
        costs: of the commands.
        busy: the part of the core that is used by what is not simulated, as requests.

    Attributes:
        commands: how many there were, by kind.
        used: seconds of the core that they took, without what is not simulated.
    """

    def __init__(self, memory: "FleetMemory", costs: Costs, busy: float = 0.0) -> None:
        super().__init__(memory)
        self.fleet = memory
        self.costs = costs
        self.commands: Counter[str] = Counter()
        self.used = 0.0
        self._slower = 1 / (1 - busy)
        self._free_at = 0.0

    async def running(self) -> None:
        """Wait for the turn of a command, and until it has run."""
        await super().running()
        work = _WORK.get()
        self.commands[work.kind] += 1
        if work.cost:
            await self.work(work.cost)

    async def work(self, microseconds: float) -> None:
        """Occupy the core, behind what waits already."""
        now = asyncio.get_running_loop().time()
        self.used += microseconds * MICRO
        self._free_at = max(now, self._free_at) + microseconds * MICRO * self._slower
        await asyncio.sleep(self._free_at - now)

    @property
    def behind(self) -> float:
        """Seconds that a command waits for its turn now."""
        return max(0.0, self._free_at - asyncio.get_running_loop().time())


class FleetMemory(Memory):
    """Implements the scripts on sessions that are numbers.

    Args:
        now: the store's clock.
        rules: the durations in force.
        lease: of nodes, in seconds.
        sessions: how many there are.
    """

    def __init__(self, now: Callable[[], float], rules: Rules, lease: float, sessions: int) -> None:
        super().__init__(now, rules, lease)
        self.per_read = PER_READ
        self.sessions = sessions
        self._began = now()
        self._blocked: dict[int, list[asyncio.Future[None]]] = {}

    def session(self, number: int) -> Session:
        """Return a session as its record would be."""
        began = self._began
        return Session(
            sid_of(number), user_of(number), b"", began, began, began, began, issued_at=began
        )

    def load(self, sid: str) -> Loaded:
        """See `Memory`."""
        if tombstone := self.tombstones.get(sid):
            return tombstone
        return Stored(self.session(number_of(sid)), 1)

    def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """See `Memory`: the record need not be there."""
        self.records[sid] = (self.session(number_of(sid)), 1, "")
        super().count_sockets(user, sid, node, count)
        del self.records[sid]
        self.sockets.pop(user, None)

    async def news(self, streams: Iterable[Stream], seconds: float) -> None:
        """Wait until something is appended to one of these streams."""
        future = asyncio.get_running_loop().create_future()
        for each in streams:
            self._blocked.setdefault(id(each), []).append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            pass

    def publish(self, event: Event) -> None:
        """See `Memory`."""
        super().publish(event)
        self._wake_readers(self.control)

    def send(self, message: Message) -> None:
        """See `Memory`."""
        super().send(message)
        self._wake_readers(self.messages)

    def acknowledge(self, initiator: str | None, acknowledgement: Acknowledgement) -> None:
        """See `Memory`."""
        super().acknowledge(initiator, acknowledgement)
        self._wake_readers(self.together if initiator is None else self._replies(initiator))

    def streams(self, node: str, *, awaits: bool) -> list[Stream]:
        """Return the streams that a read waits for."""
        return [stream for _, stream in self._followed(node, awaits=awaits)]

    def _wake_readers(self, stream: Stream) -> None:
        for future in self._blocked.pop(id(stream), ()):
            if not future.done():
                future.set_result(None)


class FleetRemote(RemoteStore):
    """The store as one node of a fleet sees it: each command says what it costs.

    Args:
        server: the store.
        link: to it.
        node: the node.
        rules: the durations in force.
        clock: the store's clock, as the node knows it.
        compares: for how many sessions each stands that the node compares with the store.
    """

    def __init__(
        self, server: FleetServer, link: Link, node: str, rules: Rules, clock: StoreClock,
        compares: int,
    ) -> None:  # fmt: skip
        balancer = Balancer(server)
        super().__init__(balancer, link, node, rules, clock)
        self._server = server
        self._commands = Client(balancer, link, self.master, PATIENCE)
        self._reader = Client(balancer, link, self.master, BLOCK + PATIENCE)
        self._compares = compares
        self._comparing = asyncio.Lock()

    def _costs(self, kind: str, times: int = 1) -> None:
        """Say what the next command is."""
        _WORK.set(_Work(kind, times * float(getattr(self._server.costs, kind))))

    async def load(self, sid: str) -> Loaded:
        """See `RemoteStore`."""
        async with self._comparing:  # a node asks for many with one command, and then for others
            self._costs("load", self._compares)
            return await super().load(sid)

    async def end_session(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """See `RemoteStore`."""
        self._costs("end")
        return await super().end_session(
            sid, user=user, end_id=end_id, reason=reason, initiator=initiator
        )

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """See `RemoteStore`."""
        self._costs("count")
        await super().count_sockets(user, sid, node, count)

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """See `RemoteStore`."""
        self._costs("renew")
        return await super().renew(node, number)

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """See `RemoteStore`."""
        self._costs("acknowledge")
        await super().acknowledge(initiator, acknowledgement)

    async def acknowledge_together(self, acknowledgement: Acknowledgement) -> None:
        """See `RemoteStore`."""
        self._costs("acknowledge")
        await super().acknowledge_together(acknowledgement)

    async def tail(self) -> Positions:
        """See `RemoteStore`."""
        self._costs("read")
        return await super().tail()

    async def read(self, positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        """See `RemoteStore`. Only what is appended to a stream that it waits for wakes the read."""
        awaited, node, server = awaits(), self._node, self._server
        _WORK.set(_Work("read", server.costs.read / 2))

        async def read(_: Server) -> tuple[Batch, Any]:
            memory = server.fleet
            if not memory.has_news(node, positions, awaits=awaited):
                await memory.news(memory.streams(node, awaits=awaited), BLOCK)
            batch = memory.read(node, positions, awaits=awaited)
            entries = len(batch.events) + len(batch.acknowledgements)
            await server.work(server.costs.read / 2 + max(0, entries - 1) * server.costs.entry)
            server.commands["entries read"] += entries
            history = history_of(server.told)
            placed = _placed(batch.positions, history)
            return replace(batch, positions=placed), replace(memory.together.end, history=history)

        found: Batch
        found, end = await execute_once("simulated", lambda: self._reader.send(read))
        if awaits():
            return found
        return replace(found, positions={**found.positions, "acknowledgements": end})


def sid_of(number: int) -> str:
    """Return the id of a session."""
    return f"00{number:022d}"


def number_of(sid: str) -> int:
    """Return the number of a session."""
    return int(sid[2:])


def user_of(number: int) -> str:
    """Return whose session it is."""
    return f"user{number // PER_USER}"
