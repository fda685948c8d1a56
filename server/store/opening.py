"""Connects to the store, checks it, and opens the stores in it."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from server.core.context import NodeContext
from server.core.rule_differences import NodeRules, host_label, values_of
from server.core.session import Rules
from server.core.store_address import place_of_address
from server.core.visitors import VISITOR_LIMITS, VisitorLimits
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import LONGEST_BLOCK, open_client, open_reader
from server.store.contract import NodeRegistry
from server.store.control_log import RedisControlLog
from server.store.entries import Entries
from server.store.inspection import claim_layout, refuse_eviction
from server.store.key_use import KeyUse
from server.store.key_witness import KeyWitness, WritingKeys
from server.store.master import MasterLink
from server.store.node_rules import NodeRulesBoard
from server.store.nodes import RedisNodeRegistry
from server.store.openable_records import OpenableRecords
from server.store.reaching import reach
from server.store.scripts import Scripts
from server.store.sealed_records import SealedRecords
from server.store.sessions import RECORD_KEPT_AFTER_EXPIRY, RedisSessionStore, longest_life_ms
from server.store.single_use import SingleUseStore
from server.store.store_watch import StoreWatch, WatchedRegistry
from server.store.try_counters import TryCounters
from server.store.visitors import VisitorRecords


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
async def connect(
    url: str,
    *,
    shards: int,
    replicas: int,
    serves: bool = True,
    wait: timedelta = timedelta(),
) -> AsyncIterator[StoreConnection]:
    """Connect to a store, check whether it fits, and read its clock.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        shards: how many shards the store must be laid out for.
        replicas: how many replicas must have an end before it counts as replicated.
        serves: whether sessions are served. A store that drops keys is then refused; whoever only
            ends sessions can do so there, too.
        wait: how long to wait for a store that is not there yet, or loads its data.

    Raises:
        StoreNotReached: the store did not answer.
        StoreUnavailable: it did not answer any more.
        ConfigurationError: the store does not fit the settings.
    """
    link = MasterLink()
    async with open_client(url, link) as client, open_reader(url, link) as reader:
        await reach(lambda: claim_layout(client, shards), place_of_address(url), wait)
        if serves:
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
        node_rules: the session rules of each of them.
        control: the streams.
        accounts: accounts.
        activity: recent activity of accounts.
        single_use: what must not be used twice.
        tries: counters of tries at passwords and codes.
        key_use: which keys the nodes have.
        sealed: all sealed records, by the key that sealed them.
        openable: which of them open.
        witness: compares the keys with the data.
        watch: says whether this node still fits the store.
    """

    sessions: RedisSessionStore
    nodes: NodeRegistry
    node_rules: NodeRulesBoard
    control: RedisControlLog
    accounts: AccountStore
    activity: ActivityStore
    single_use: SingleUseStore
    tries: TryCounters
    key_use: KeyUse
    sealed: SealedRecords
    openable: OpenableRecords
    witness: KeyWitness
    watch: StoreWatch


def open_stores(
    store: StoreConnection,
    keyring: Keyring,
    sealer: Sealer,
    context: NodeContext,
    *,
    rules: Rules,
    rules_change: bool,
    visitor_limits: VisitorLimits = VISITOR_LIMITS,
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
        rules_change: whether other nodes may have other rules for a while.
        visitor_limits: on what visitors without an account keep.
        lease: how long a node stays listed without a renewal.
        serves: whether this process serves. If not, it follows only replies to its own ends.
    """
    client, scripts, clock, shards = store.client, store.scripts, store.clock, store.shards
    entries = Entries(keyring, context, clock.steps)
    codec = SessionCodec(sealer)
    keyring.subscribe(codec.forget)
    visitors = _open_visitors(store, keyring, visitor_limits, rules)
    sessions = RedisSessionStore(client, scripts, codec, entries, clock, rules, visitors, shards)
    accounts = AccountStore(client, scripts, sealer, shards, context.record)
    activity = ActivityStore(client, scripts, sealer, shards, context.record)
    nodes = RedisNodeRegistry(client, scripts, clock, shards, lease)
    cookies_live = rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY
    key_use = KeyUse(client, scripts, context.node, keyring, cookies_live)
    openable = OpenableRecords(client, sealer, shards)
    witness = KeyWitness(
        client, scripts, keyring, sealer, openable, _writing_keys(nodes, key_use), tidies=serves
    )
    watch = StoreWatch(client, shards, witness)
    return Stores(
        sessions=sessions,
        nodes=WatchedRegistry(nodes, watch),
        node_rules=NodeRulesBoard(
            client, scripts, nodes, context.node, _own_rules(rules, rules_change), lease
        ),
        control=_open_control(store, entries, context, lease, serves=serves),
        accounts=accounts,
        activity=activity,
        single_use=SingleUseStore(client, shards),
        tries=_open_tries(store, keyring, context),
        key_use=key_use,
        sealed=SealedRecords(client, sessions, accounts, activity, context.new_id),
        openable=openable,
        witness=witness,
        watch=watch,
    )


def _open_control(
    store: StoreConnection,
    entries: Entries,
    context: NodeContext,
    lease: timedelta,
    *,
    serves: bool,
) -> RedisControlLog:
    return RedisControlLog(
        store.reader,
        store.client,
        store.scripts,
        entries,
        store.clock,
        store.shards,
        context.node,
        min(LONGEST_BLOCK, lease / 6),
        serves=serves,
    )


def _open_visitors(
    store: StoreConnection, keyring: Keyring, limits: VisitorLimits, rules: Rules
) -> VisitorRecords:
    keys = keyring.derive("visitors")
    per_shard = limits.of_shard(store.shards)
    visitors = VisitorRecords(store.scripts, keys.newest[1], per_shard, longest_life_ms(rules))
    keyring.subscribe(lambda: visitors.use_key(keys.newest[1]))
    return visitors


def _open_tries(store: StoreConnection, keyring: Keyring, context: NodeContext) -> TryCounters:
    keys = keyring.derive("tries")
    tries = TryCounters(store.scripts, keys.newest[1], context.now)
    keyring.subscribe(lambda: tries.use_key(keys.newest[1]))
    return tries


def _writing_keys(nodes: NodeRegistry, key_use: KeyUse) -> WritingKeys:
    async def writing_keys() -> set[int] | None:
        rings = (await key_use.versions_of(await nodes.leases())).values()
        return {ring[0] for ring in rings} if all(rings) else None

    return writing_keys


def _own_rules(rules: Rules, is_changing: bool) -> NodeRules:  # noqa: FBT001 - only handed on
    return NodeRules(
        host_label(socket.gethostname()), os.getpid(), values_of(rules), is_changing=is_changing
    )
