"""Connects to the store, checks it, and opens the stores in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from server.core.context import NodeContext
from server.core.session import Rules
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import LONGEST_BLOCK, open_client, open_reader
from server.store.control_log import RedisControlLog
from server.store.entries import Entries
from server.store.inspection import claim_layout, refuse_eviction
from server.store.key_use import KeyUse
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts
from server.store.sealed_records import SealedRecords
from server.store.sessions import RECORD_KEPT_AFTER_EXPIRY, RedisSessionStore
from server.store.single_use import SingleUseStore
from server.store.try_counters import TryCounters


@dataclass(frozen=True, slots=True)
class StoreConnection:
    """A store that is ready to be used.

    Attributes:
        client: runs commands.
        reader: a client of its own for the blocking reads of the streams.
        scripts: the Lua scripts, run on `client`.
        clock: the store's clock.
        shards: how many shards the store is laid out for.
    """

    client: Redis
    reader: Redis
    scripts: Scripts
    clock: StoreClock
    shards: int


@asynccontextmanager
async def connect(url: str, *, shards: int, replicas: int) -> AsyncIterator[StoreConnection]:
    """Connect to a store, check its layout and its eviction policy, and read its clock.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        shards: how many shards the store must be laid out for.
        replicas: how many replicas must have an end before it counts as replicated.

    Raises:
        StoreUnavailable: the store did not answer.
        ConfigurationError: the store does not fit the settings.
    """
    async with open_client(url) as client, open_reader(url) as reader:
        await claim_layout(client, shards)
        await refuse_eviction(client)
        clock = StoreClock(client)
        await clock.synchronise()
        yield StoreConnection(client, reader, Scripts(client, replicas), clock, shards)


@dataclass(frozen=True, slots=True)
class Stores:
    """What is in the store.

    Attributes:
        sessions: sessions, their index and their ends.
        nodes: the list of nodes.
        control: the streams.
        accounts: accounts.
        activity: recent activity of accounts.
        single_use: what must not be used twice.
        tries: counters of tries at passwords and codes.
        key_use: which keys the nodes have.
        sealed: all sealed records, by the key that sealed them.
    """

    sessions: RedisSessionStore
    nodes: RedisNodeRegistry
    control: RedisControlLog
    accounts: AccountStore
    activity: ActivityStore
    single_use: SingleUseStore
    tries: TryCounters
    key_use: KeyUse
    sealed: SealedRecords


def open_stores(
    store: StoreConnection,
    keyring: Keyring,
    sealer: Sealer,
    context: NodeContext,
    *,
    rules: Rules,
    lease: timedelta,
    serves: bool,
) -> Stores:
    """Open the stores on a connection.

    Args:
        store: the connection.
        keyring: the secret keys.
        sealer: seals with the newest key, opens with all.
        context: this node's id, clocks, randomness and audit trail.
        rules: the durations in force.
        lease: how long a node stays listed without a renewal.
        serves: whether this process serves. If not, it follows only replies to its own ends.
    """
    client, scripts, clock, shards = store.client, store.scripts, store.clock, store.shards
    codec, entries = SessionCodec(sealer), Entries(keyring, context, clock.steps)
    block = min(LONGEST_BLOCK, lease / 6)
    sessions = RedisSessionStore(client, scripts, codec, entries, clock, rules, shards)
    accounts = AccountStore(client, scripts, sealer, shards, context.record)
    activity = ActivityStore(client, scripts, sealer, shards, context.record)
    cookies_live = rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY
    return Stores(
        sessions=sessions,
        nodes=RedisNodeRegistry(client, scripts, clock, shards, lease),
        control=RedisControlLog(
            store.reader,
            client,
            scripts,
            entries,
            clock,
            shards,
            context.node,
            block,
            serves=serves,
        ),
        accounts=accounts,
        activity=activity,
        single_use=SingleUseStore(client, shards),
        tries=TryCounters(scripts, keyring.derive("tries").newest[1], context.now),
        key_use=KeyUse(client, context.node, keyring, cookies_live),
        sealed=SealedRecords(client, sessions, accounts, activity, context.new_id),
    )
