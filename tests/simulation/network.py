"""The network between a node and the store: delays, cuts in either direction, freezes, resets.

A request travels on its own. A node that stops waiting, or is paused, does not take it back. So a
write may run long after its caller got `StoreUnavailable`.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

from server.core.errors import StoreUnavailable
from server.core.events import Acknowledgement, Event, MessageSent
from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.session import Rules, Session
from server.store.clock import StoreClock
from server.store.contract import (
    Conflict,
    Created,
    Ended,
    EpochChanged,
    Epochs,
    ListedSession,
    Loaded,
    Missing,
    Saved,
    Tombstone,
)
from server.store.stream_contract import Batch, Positions
from tests.simulation.memory import Memory
from tests.simulation.virtual import NODE

T = TypeVar("T")

COMMAND_TIMEOUT = 0.25
READ_TIMEOUT = 0.5
BLOCK = 0.15


class Server:
    """The process of the store. It may freeze, and then continue with all waiting requests."""

    def __init__(self) -> None:
        self._thawed = asyncio.Event()
        self._thawed.set()

    def freeze(self) -> None:
        """Stop executing requests."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Execute the waiting requests, and go on."""
        self._thawed.set()

    async def running(self) -> None:
        """Wait until requests are executed."""
        await self._thawed.wait()


class Link:
    """The connection of one node to the store, in both directions."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.slowest = 0.004
        self.loses_requests = self.loses_replies = False
        self.under_way: dict[asyncio.Task[Any], None] = {}  # in an order that repeats itself

    async def way(self) -> None:
        """Wait for the delay of one direction."""
        await asyncio.sleep(self._chance.uniform(0.0002, self.slowest))

    def reset(self) -> None:
        """Let all requests under way fail at once, like CLIENT KILL."""
        for task in list(self.under_way):
            task.cancel()

    def heal(self) -> None:
        """End all faults."""
        self.slowest = 0.004
        self.loses_requests = self.loses_replies = False


class RemoteStore:
    """Implements the contract's three stores over the link of one node."""

    def __init__(
        self,
        memory: Memory,
        server: Server,
        link: Link,
        node: str,
        rules: Rules | None = None,
        clock: StoreClock | None = None,
    ) -> None:
        self._memory = memory
        self._rules = rules or memory.rules
        self._server = server
        self._link = link
        self._node = node
        self._clock = clock
        self.shards = memory.shards

    def shard_of(self, user: str) -> int:
        """See the contract."""
        return sum(user.encode()) % self.shards

    async def load(self, sid: str) -> Loaded:
        """See the contract."""
        return await self._ask(lambda: self._memory.load(sid))

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        """See the contract."""
        return await self._ask(lambda: self._memory.epochs(shard, user))

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone:
        """See the contract."""
        asked_at = self._now()
        return await self._ask(
            lambda: self._memory.under(self._rules).create(
                session, operation, user_epoch, initiator, asked_at
            )
        )

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing:
        """See the contract."""
        return await self._ask(
            lambda: self._memory.under(self._rules).save(session, based_on, operation, event)
        )

    async def end_session(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._ask(
            lambda: self._memory.end_session(sid, user, end_id, reason, initiator, asked_at)
        )

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._ask(
            lambda: self._memory.end_user(user, keep, end_id, reason, initiator, asked_at)
        )

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._ask(
            lambda: self._memory.end_shard(shard, end_id, reason, initiator, asked_at)
        )

    async def sweep_shard(self, shard: int) -> int:
        """See the contract."""
        return await self._ask(lambda: self._memory.sweep_shard(shard))

    async def list_user(self, user: str) -> Sequence[ListedSession]:
        """See the contract."""
        return await self._ask(lambda: self._memory.list_user(user))

    async def users(self) -> Sequence[str]:
        """See the contract."""
        return await self._ask(lambda: sorted(self._memory.index))

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """See the contract."""
        await self._ask(lambda: self._memory.count_sockets(user, sid, node, count))

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """See the contract."""
        asked_at = asyncio.get_running_loop().time()

        def renew() -> tuple[Sequence[Mapping[str, ListedNode]], float]:
            return self._memory.renew(node, number), self._memory.now()

        lists, store_time = await self._ask(renew)
        self._learn(store_time, asked_at)
        return lists

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        """See the contract."""
        return await self._ask(lambda: [self._memory.listed()] * self.shards)

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        """See the contract."""
        del shard
        return await self._ask(lambda: self._memory.drop(node, listed))

    async def synchronise(self) -> None:
        """Read the store's clock."""
        asked_at = asyncio.get_running_loop().time()
        self._learn(await self._ask(self._memory.now), asked_at)

    async def leases(self) -> Mapping[str, float]:
        """See the contract."""
        return await self._ask(lambda: dict(self._memory.nodes))

    async def remove(self, node: str) -> None:
        """See the contract."""
        await self._ask(lambda: self._memory.drop(node))

    async def tail(self) -> Positions:
        """See the contract."""
        return await self._ask(lambda: self._memory.tail(self._node))

    async def read(self, positions: Positions) -> Batch:
        """See the contract."""
        return await self._once(
            lambda: self._memory.read(self._node, positions), READ_TIMEOUT, positions
        )

    async def disconnect(self) -> None:
        """Do nothing: each request travels on its own, so there is no connection to drop."""

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """See the contract."""
        await self._ask(lambda: self._memory.acknowledge(initiator, acknowledgement))

    async def send(self, message: MessageSent) -> None:
        """See the contract."""
        await self._once(lambda: self._memory.send(message), COMMAND_TIMEOUT)

    def _now(self) -> float:
        """The store's clock, as this node knows it."""
        return self._clock.now() if self._clock else self._memory.now()

    def _learn(self, store_time: float, asked_at: float) -> None:
        if self._clock:
            self._clock.learn(store_time, asked_at=asked_at)

    async def _ask(self, script: Callable[[], T]) -> T:
        """Try twice, like the real client. So a script may run twice."""
        try:
            return await self._once(script, COMMAND_TIMEOUT)
        except StoreUnavailable:
            return await self._once(script, COMMAND_TIMEOUT)

    async def _once(
        self, script: Callable[[], T], patience: float, blocking: Positions | None = None
    ) -> T:
        context = copy_context()
        context.run(NODE.set, "")
        travel = asyncio.get_running_loop().create_task(
            self._travel(script, blocking), context=context
        )
        self._link.under_way[travel] = None
        travel.add_done_callback(self._link.under_way.pop)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(travel)
        except TimeoutError:
            raise StoreUnavailable("simulated", "TimeoutError") from None
        except asyncio.CancelledError:
            if travel.cancelled() and not _is_cancelling():
                raise StoreUnavailable("simulated", "ConnectionError") from None
            raise

    async def _travel(self, script: Callable[[], T], blocking: Positions | None) -> T:
        await self._link.way()
        if self._link.loses_requests:
            await asyncio.Event().wait()
        await self._server.running()
        if blocking is not None and not self._memory.has_news(self._node, blocking):
            await self._news()
            await self._server.running()
        result = script()
        await self._link.way()
        if self._link.loses_replies:
            await asyncio.Event().wait()
        return result

    async def _news(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._memory.waiting.append(future)
        try:
            async with asyncio.timeout(BLOCK):
                await future
        except TimeoutError:
            pass


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
