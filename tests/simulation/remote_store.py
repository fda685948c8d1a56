"""The contract's three stores over the link of one node, on servers that follow one another."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from server.core.events import Acknowledgement, Event, Message
from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.session import Rules, Session
from server.store.clock import StoreClock
from server.store.connection import execute, execute_once
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
from server.store.control_log import history_of, is_other_history
from server.store.stream_contract import Batch, Position, Positions, always
from tests.simulation.connections import NodeLink
from tests.simulation.memory import Memory
from tests.simulation.network import COMMAND_TIMEOUT, KEPT_FOR, READ_TIMEOUT, Client, Link
from tests.simulation.remote_rooms import RemoteRooms
from tests.simulation.servers import Balancer, Server

T = TypeVar("T")
E = TypeVar("E", bound=Ended | Conflict)

BLOCK = 0.15
"""Seconds for which a read of quiet streams waits."""


class RemoteStore:
    """Implements the contract's three stores over the link of one node."""

    def __init__(
        self,
        balancer: Balancer,
        link: Link,
        node: str,
        rules: Rules | None = None,
        clock: StoreClock | None = None,
        replicas: int = 0,
    ) -> None:
        self._balancer = balancer
        self._rules = rules or balancer.target.memory.rules
        self._node = node
        self._clock = clock
        self._replicas = replicas
        self.shards = balancer.target.memory.shards
        self.master = NodeLink(KEPT_FOR, lambda: asyncio.get_running_loop().time())
        self._commands = Client(balancer, link, self.master, COMMAND_TIMEOUT)
        self._reader = Client(balancer, link, self.master, READ_TIMEOUT)
        self.rooms = RemoteRooms(balancer, link, node, self.master)

    def shard_of(self, user: str) -> int:
        """See the contract."""
        return sum(user.encode()) % self.shards

    async def load(self, sid: str) -> Loaded:
        """See the contract."""
        found = await self._look(lambda memory: memory.load(sid))
        if isinstance(found, Missing) and await self._ask(lambda memory: memory.has(sid)):
            return await self._look(lambda memory: memory.load(sid))
        return found

    async def epochs(self, shard: int, user: str | None) -> Epochs:
        """See the contract."""
        return await self._look(lambda memory: memory.epochs(shard, user))

    async def create(
        self, session: Session, *, operation: str, user_epoch: str, initiator: str
    ) -> Created | EpochChanged | Tombstone:
        """See the contract."""
        asked_at = self._now()
        return await self._ask(
            lambda memory: memory.under(self._rules).create(
                session, operation, user_epoch, initiator, asked_at
            )
        )

    async def save(
        self, session: Session, *, based_on: int, operation: str, event: Event | None = None
    ) -> Saved | Conflict | Tombstone | Missing:
        """See the contract."""
        return await self._ask(
            lambda memory: memory.under(self._rules).save(session, based_on, operation, event)
        )

    async def end_session(
        self, sid: str, *, user: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._end(
            lambda memory: memory.end_session(sid, user, end_id, reason, initiator, asked_at)
        )

    async def end_user(
        self, user: str, *, keep: str | None, end_id: str, reason: Reason, initiator: str
    ) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._end(
            lambda memory: memory.end_user(user, keep, end_id, reason, initiator, asked_at)
        )

    async def account(self, user: str) -> int:
        """Return an account as `AccountStore.load` does; 0 if there is none."""
        return await self._look(lambda memory: memory.accounts.get(user, 0))

    async def account_to_change(self, user: str) -> int:
        """Return an account as `AccountStore.load_to_change` does."""
        found = await self.account(user)
        if not found and await self._ask(lambda memory: user in memory.accounts):
            return await self.account(user)
        return found

    async def make_account(self, user: str, number: int) -> None:
        """Make an account, unless there is one."""
        await self._ask(lambda memory: memory.make_account(user, number))

    async def forget_account(self, user: str) -> None:
        """Remove an account alone, as a deletion in two steps would."""
        await self._ask(lambda memory: memory.accounts.pop(user, None))

    async def count_try(self) -> None:
        """Count a try, which only a master does."""
        await self._ask(lambda _: None)

    async def end_account(
        self, user: str, made: int, *, end_id: str, reason: Reason, initiator: str
    ) -> Ended | Conflict:
        """End all sessions of a user and remove the account, if it still is the loaded one."""
        asked_at = self._now()
        return await self._end(
            lambda memory: memory.end_account(user, made, end_id, reason, initiator, asked_at)
        )

    async def end_shard(self, shard: int, *, end_id: str, reason: Reason, initiator: str) -> Ended:
        """See the contract."""
        asked_at = self._now()
        return await self._end(
            lambda memory: memory.end_shard(shard, end_id, reason, initiator, asked_at)
        )

    async def sweep_shard(self, shard: int) -> int:
        """See the contract."""
        return await self._ask(lambda memory: memory.sweep_shard(shard))

    async def list_user(self, user: str) -> Sequence[ListedSession]:
        """See the contract."""
        return await self._look(lambda memory: memory.list_user(user))

    async def users(self) -> Sequence[str]:
        """See the contract."""
        return await self._look(lambda memory: sorted(memory.index))

    async def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """See the contract."""
        await self._ask(lambda memory: memory.count_sockets(user, sid, node, count))

    async def renew(self, node: str, number: int) -> Sequence[Mapping[str, ListedNode]]:
        """See the contract."""
        asked_at = asyncio.get_running_loop().time()

        def renew(memory: Memory) -> tuple[Sequence[Mapping[str, ListedNode]], float]:
            return memory.renew(node, number), memory.now()

        lists, store_time = await self._ask(renew)
        self._learn(store_time, asked_at)
        return lists

    async def lists(self) -> Sequence[Mapping[str, ListedNode]]:
        """See the contract."""
        return await self._look(lambda memory: [memory.listed()] * self.shards)

    async def drop(self, shard: int, node: str, listed: ListedNode) -> ListedNode | None:
        """See the contract."""
        del shard
        return await self._ask(lambda memory: memory.drop(node, listed))

    async def synchronise(self) -> None:
        """Read the store's clock."""
        asked_at = asyncio.get_running_loop().time()
        self._learn(await self._look(lambda memory: memory.now()), asked_at)

    async def leases(self) -> Mapping[str, float]:
        """See the contract."""
        return await self._look(lambda memory: dict(memory.nodes))

    async def remove(self, node: str) -> None:
        """See the contract."""
        await self._ask(lambda memory: memory.drop(node))

    async def tail(self) -> Positions:
        """See the contract."""

        async def tail(server: Server) -> Positions:
            return _placed(server.memory.tail(self._node), history_of(server.told))

        found: Positions = await execute("simulated", lambda: self._commands.send(tail))
        return found

    async def read(self, positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        """See the contract."""
        awaited = awaits()

        async def read(server: Server) -> tuple[Batch, Position]:
            if not server.memory.has_news(self._node, positions, awaits=awaited):
                await server.news(BLOCK)
            history, memory = history_of(server.told), server.memory
            batch = memory.read(self._node, positions, awaits=awaited)
            lost = any(is_other_history(history, each) for each in positions.values())
            placed = _placed(batch.positions, history)
            found = replace(batch, positions=placed, lost_entries=lost or batch.lost_entries)
            return found, replace(memory.together.end, history=history)

        found: Batch
        found, end = await execute_once("simulated", lambda: self._reader.send(read))
        if awaits():
            return found
        return replace(found, positions={**found.positions, "acknowledgements": end})

    async def disconnect(self) -> None:
        """See the contract."""
        self._reader.disconnect()

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """See the contract."""
        await self._ask(lambda memory: memory.acknowledge(initiator, acknowledgement))

    async def acknowledge_together(self, acknowledgement: Acknowledgement) -> None:
        """See the contract."""
        await self._ask(lambda memory: memory.acknowledge(None, acknowledgement))

    async def send(self, message: Message) -> None:
        """See the contract."""
        request = _on_master(lambda memory: memory.send(message))
        await execute_once("simulated", lambda: self._commands.send(request))

    def _now(self) -> float:
        """The store's clock, as this node knows it."""
        return self._clock.now() if self._clock else self._balancer.target.memory.now()

    def _learn(self, store_time: float, asked_at: float) -> None:
        if self._clock:
            self._clock.learn(store_time, asked_at=asked_at)

    async def _ask(self, script: Callable[[Memory], T]) -> T:
        """Run a script with the real client's tries. So it may run twice."""
        found: T = await execute("simulated", lambda: self._commands.send(_on_master(script)))
        return found

    async def _look(self, script: Callable[[Memory], T]) -> T:
        """Run a script that only reads, which a replica does as well."""

        async def look(server: Server) -> T:
            return script(server.memory)

        found: T = await execute("simulated", lambda: self._commands.send(look))
        return found

    async def _end(self, script: Callable[[Memory], E]) -> E:
        """Run a script whose writes the replica has to confirm, if one was asked for."""

        async def end(server: Server) -> Ended | Conflict:
            ended: Ended | Conflict = await _on_master(script)(server)
            if self._replicas and isinstance(ended, Ended):
                return await server.confirm(ended)
            return ended

        ended: E = await execute("simulated", lambda: self._commands.send(end))
        return ended


def _on_master(script: Callable[[Memory], T]) -> Callable[[Server], Coroutine[Any, Any, T]]:
    async def request(server: Server) -> T:
        server.require_master()
        return script(server.memory)

    return request


def _placed(positions: Positions, history: str) -> Positions:
    return {name: Position(at.entry, at.count, history) for name, at in positions.items()}
