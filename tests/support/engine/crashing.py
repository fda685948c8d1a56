"""A manager on the real store whose process "crashes" between a write and its reply."""
# ruff: noqa: D102 - the contract says what its methods do

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from server.core.errors import StoreUnavailable
from server.core.session import Rules, Session
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.engine import EngineDependencies, Timing, build_engine
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.contract import Created, Ended, Saved
from server.store.control_log import RedisControlLog
from server.store.entries import Entries
from server.store.nodes import RedisNodeRegistry
from server.store.room_inbox import RoomInbox
from server.store.room_store import RedisRoomStore
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context
from tests.support.engine.store_client import open_store_client
from tests.support.engine.visitors import visitor_records
from tests.support.servers.stores import owner_client

T = TypeVar("T")

TIMING = Timing(
    node_lease=timedelta(seconds=5),
    hold_timeout=timedelta(seconds=30),
    sweep_interval=timedelta(seconds=30),
    termination_wait=timedelta(seconds=1),
)


class StandingClock(StoreClock):
    """A store's clock that stands still until it is moved.

    Attributes:
        time: Unix seconds.
    """

    time = 0.0

    def now(self) -> float:
        return self.time


class CrashingStore(RedisSessionStore):
    """The real store. A crash loses the reply to the next write.

    Attributes:
        crashes: whether the reply to the next write will be lost.
        made: the session that was created last.
    """

    crashes = False
    made: Session

    async def create(self, session: Session, **given: Any) -> Any:
        self.made = session
        return self._reply(await super().create(session, **given))

    async def save(self, *args: Any, **given: Any) -> Any:
        return self._reply(await super().save(*args, **given))

    async def end_session(self, *args: Any, **given: Any) -> Any:
        return self._reply(await super().end_session(*args, **given))

    async def end_user(self, *args: Any, **given: Any) -> Any:
        return self._reply(await super().end_user(*args, **given))

    async def end_shard(self, *args: Any, **given: Any) -> Any:
        return self._reply(await super().end_shard(*args, **given))

    def _reply(self, answer: T) -> T:
        if self.crashes and isinstance(answer, Created | Saved | Ended):
            self.crashes = False
            raise StoreUnavailable("a write", "ConnectionError")
        return answer


@dataclass(frozen=True, slots=True)
class Node:
    """One process without sockets.

    Attributes:
        clock: its idea of the store's clock.
        store: see `CrashingStore`.
        sessions: the session manager.
        terminations: ends sessions with receipts.
    """

    clock: StandingClock
    store: CrashingStore
    sessions: SessionManager
    terminations: Terminations


@asynccontextmanager
async def open_node(url: str, rules: Rules, shards: int = 1) -> AsyncIterator[Node]:
    """Open a node on the store at `url`, which is emptied first."""
    with owner_client(url) as owner:
        owner.flushall()
    async with open_store_client(url) as client:
        seconds, _ = await client.time()
        clock, scripts = StandingClock(client), Scripts(client)
        clock.time = float(seconds)
        keyring, context = Keyring.from_secrets([KEY]), quiet_context(clock.now)
        sealer, entries = Sealer(keyring), Entries(keyring, context)
        codec, visitors = SessionCodec(sealer), visitor_records(scripts, rules)
        store = CrashingStore(client, scripts, codec, entries, clock, rules, visitors, shards)
        given = EngineDependencies(
            store=store,
            registry=RedisNodeRegistry(client, scripts, clock, shards, TIMING.node_lease),
            control=RedisControlLog(
                client, client, scripts, entries, clock, shards, context.node, TIMING.node_lease
            ),
            rooms=RedisRoomStore(
                client,
                scripts,
                [RoomInbox(client, context.node, shards, TIMING.node_lease)],
                shards,
            ),
            sealer=sealer,
        )
        engine = build_engine(given, rules, TIMING, context)
        yield Node(clock, store, engine.sessions, engine.terminations)
