"""Connects to the store, checks it, and opens the stores in it."""

import math
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from server.core.context import NodeContext
from server.core.counts import StoreCounts
from server.core.rule_differences import NodeRules, host_label, values_of
from server.core.session import Rules
from server.core.store_address import place_of_address
from server.core.visitors import VISITOR_LIMITS, VisitorLimits
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.account_ends import AccountEnds
from server.store.account_index import AccountIndex
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clients import open_clients
from server.store.clock import StoreClock
from server.store.cluster import Cluster
from server.store.cluster_shard import ClusterShard
from server.store.codec import SessionCodec
from server.store.connection import LONGEST_BLOCK
from server.store.contract import NodeRegistry
from server.store.control_log import RedisControlLog
from server.store.end_watch import EndWatch
from server.store.entries import Entries
from server.store.inspection import refuse_eviction
from server.store.key_followers import open_tries, open_visitors
from server.store.key_use import KeyUse
from server.store.key_witness import KeyWitness, WritingKeys
from server.store.live_sessions import LiveSessions
from server.store.looks import LookClaims
from server.store.node_rules import NodeRulesBoard
from server.store.nodes import RedisNodeRegistry
from server.store.openable_records import OpenableRecords
from server.store.reaching import reach
from server.store.room_inbox import RoomInbox
from server.store.room_store import RedisRoomStore
from server.store.scripts import Scripts
from server.store.sealed_records import SealedRecords
from server.store.sentinels import Sentinels
from server.store.sessions import RECORD_KEPT_AFTER_EXPIRY, RedisSessionStore, longest_life_ms
from server.store.shards_of_cluster import open_shards
from server.store.single_use import SingleUseStore
from server.store.store_watch import StoreWatch, WatchedRegistry
from server.store.try_counters import TryCounters


@dataclass(frozen=True, slots=True)
class StoreConnection:
    """A store that is ready to be used.

    Attributes:
        client: runs commands.
        readers: clients of their own for the blocking reads of the streams: one for all shards of a
            single store, or one for each shard of a cluster.
        room_readers: others, for what happens in rooms; they connect when there is need.
        scripts: the Lua scripts, run on `client`.
        clock: the store's clock.
        shards: how many shards the store is laid out for.
        vouched_at: returns a moment at which Sentinel still named this master; without Sentinel it
            is always to come.
        sentinels: what Sentinel says; None if the address leads to the master itself.
        cluster: what is known of the cluster; None if it is none.
    """

    client: Redis
    readers: Sequence[Redis]
    room_readers: Sequence[Redis]
    scripts: Scripts
    clock: StoreClock
    shards: int
    vouched_at: Callable[[], float] = lambda: math.inf
    sentinels: Sentinels | None = None
    cluster: Cluster | None = None


@asynccontextmanager
async def connect(
    url: str,
    *,
    shards: int,
    replicas: int,
    serves: bool = True,
    wait: timedelta = timedelta(),
    counts: StoreCounts | None = None,
    plaintext_allowed: bool = False,
) -> AsyncIterator[StoreConnection]:
    """Connect to a store, check whether it fits, and read its clock.

    Args:
        url: one server, a service of Sentinel, or a cluster.
        plaintext_allowed: whether servers that others name may be on other machines without TLS.
        shards: how many shards the store must be laid out for.
        replicas: how many replicas must have an end before it counts as replicated.
        serves: whether sessions are served. A store that drops keys or is too old is then refused;
            whoever only ends sessions, or looks for what is wrong, can do so there, too.
        wait: how long to wait for a store that is not there yet, or loads its data.
        counts: counts answers and failures of the store.

    Raises:
        StoreNotReached: the store did not answer.
        StoreUnavailable: it did not answer any more.
        ConfigurationError: the store does not fit the settings.
    """
    async with open_clients(url, shards, counts, plaintext_allowed=plaintext_allowed) as opened:
        await reach(partial(opened.look, shards, serves=serves), place_of_address(url), wait)
        if serves:
            await refuse_eviction(opened.client)
        clock = StoreClock(opened.client)
        await clock.synchronise()
        scripts = Scripts(opened.client, replicas, opened.link)
        parts = opened.vouched_at, opened.sentinels, opened.cluster
        yield StoreConnection(
            opened.client, opened.readers, opened.room_readers, scripts, clock, shards, *parts
        )


@dataclass(frozen=True, slots=True)
class Stores:
    """What is in the store.

    Attributes:
        sessions: sessions, their index and their ends.
        nodes: the list of nodes.
        node_rules: the session rules of each of them.
        controls: the streams: of all shards of a single store, or of each shard of a cluster.
        shards: the shards of a cluster, in order; empty for a single store.
        rooms: rooms, and this node's inbox.
        accounts: accounts.
        account_ends: changes of accounts that no session survives.
        account_index: the names of accounts.
        activity: recent activity of accounts.
        single_use: what must not be used twice.
        tries: counters of tries at passwords and codes.
        key_use: which keys the nodes have.
        sealed: all sealed records, by the key that sealed them.
        openable: which of them open.
        witness: compares the keys with the data.
        watch: says whether this node still fits the store.
        live: counts the sessions that live.
        end_watch: reads the latest ends, for people who look.
    """

    sessions: RedisSessionStore
    nodes: NodeRegistry
    node_rules: NodeRulesBoard
    controls: Sequence[RedisControlLog]
    shards: Sequence[ClusterShard]
    rooms: RedisRoomStore
    accounts: AccountStore
    account_ends: AccountEnds
    account_index: AccountIndex
    activity: ActivityStore
    single_use: SingleUseStore
    tries: TryCounters
    key_use: KeyUse
    sealed: SealedRecords
    openable: OpenableRecords
    witness: KeyWitness
    watch: StoreWatch
    live: LiveSessions
    end_watch: EndWatch


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
    keyring.subscribe((codec := SessionCodec(sealer)).forget)
    visitors = open_visitors(scripts, shards, keyring, visitor_limits, rules)
    sessions = RedisSessionStore(client, scripts, codec, entries, clock, rules, visitors, shards)
    accounts = AccountStore(client, scripts, sealer, shards, context.record)
    looks = LookClaims(scripts, accounts.exists, context.now, shards)
    account_ends = AccountEnds(scripts, entries, accounts, longest_life_ms(rules))
    activity = ActivityStore(client, scripts, sealer, shards, context.record)
    nodes = RedisNodeRegistry(client, scripts, clock, shards, lease, is_cluster=bool(store.cluster))
    cookies_live = rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY
    remembered_live = rules.remember_absolute_timeout + RECORD_KEPT_AFTER_EXPIRY
    key_use = KeyUse(client, scripts, context.node, keyring, cookies_live, remembered_live)
    openable = OpenableRecords(client, sealer, shards)
    writing = _writing_keys(nodes, key_use)
    witness = KeyWitness(client, scripts, keyring, sealer, openable, writing, tidies=serves)
    watch = StoreWatch(client, shards, witness)
    controls = _open_controls(store, entries, context, lease, serves=serves)
    return Stores(
        sessions=sessions,
        nodes=WatchedRegistry(nodes, watch),
        node_rules=_open_rules(store, nodes, context, _own_rules(rules, rules_change), lease),
        controls=controls,
        shards=open_shards(store.cluster, nodes, watch, controls),
        rooms=_open_rooms(store, context, lease),
        accounts=accounts,
        account_ends=account_ends,
        account_index=AccountIndex(client, scripts, accounts, looks, shards),
        activity=activity,
        single_use=SingleUseStore(client, shards),
        tries=open_tries(scripts, keyring, context),
        key_use=key_use,
        sealed=SealedRecords(client, sessions, accounts, activity, context.new_id),
        openable=openable,
        witness=witness,
        watch=watch,
        live=LiveSessions(scripts, shards),
        end_watch=EndWatch(client, entries, clock, shards, is_cluster=bool(store.cluster)),
    )


def _open_rules(
    store: StoreConnection,
    nodes: NodeRegistry,
    context: NodeContext,
    own: NodeRules,
    lease: timedelta,
) -> NodeRulesBoard:
    return NodeRulesBoard(store.client, store.scripts, nodes, context.node, own, lease)


def _open_controls(
    store: StoreConnection,
    entries: Entries,
    context: NodeContext,
    lease: timedelta,
    *,
    serves: bool,
) -> Sequence[RedisControlLog]:
    return [
        RedisControlLog(
            reader,
            store.client,
            store.scripts,
            entries,
            store.clock,
            store.shards,
            context.node,
            min(LONGEST_BLOCK, lease / 6),
            serves=serves,
            only=shard if store.cluster else None,
        )
        for shard, reader in enumerate(store.readers)
    ]


def _open_rooms(store: StoreConnection, context: NodeContext, lease: timedelta) -> RedisRoomStore:
    block = min(LONGEST_BLOCK, lease / 6)
    inboxes = [
        RoomInbox(reader, context.node, store.shards, block, only=shard if store.cluster else None)
        for shard, reader in enumerate(store.room_readers)
    ]
    return RedisRoomStore(store.client, store.scripts, inboxes, store.shards)


def _writing_keys(nodes: NodeRegistry, key_use: KeyUse) -> WritingKeys:
    async def writing_keys() -> set[int] | None:
        rings = (await key_use.versions_of(await nodes.leases())).values()
        return {ring[0] for ring in rings} if all(rings) else None

    return writing_keys


def _own_rules(rules: Rules, is_changing: bool) -> NodeRules:  # noqa: FBT001 - only handed on
    return NodeRules(
        host_label(socket.gethostname()), os.getpid(), values_of(rules), is_changing=is_changing
    )
