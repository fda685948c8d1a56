"""The composition root: opens everything in order, closes it in reverse."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry

from server.accounts.accounts import Accounts, StoredAccounts
from server.accounts.activity import ActivityRecorder
from server.accounts.own_sessions import OwnSessions
from server.accounts.password_change import PasswordChange
from server.accounts.reauthentication import Reauthentication
from server.accounts.second_factor_changes import SecondFactorChanges
from server.accounts.second_factor_check import SecondFactorCheck
from server.accounts.second_factor_setup import SecondFactorSetup
from server.accounts.sign_in import SignIn
from server.accounts.sign_up import SignUp
from server.accounts.throttle import Throttle
from server.core.audit import AuditEvent
from server.crypto.challenges import Challenges
from server.crypto.keyring import Keyring
from server.crypto.passwords import PasswordHasher
from server.crypto.sealer import Sealer
from server.embedded.store import store_url
from server.engine import EngineDependencies, Timing, build_engine
from server.realtime.fence import Fence
from server.realtime.hub import Hub
from server.realtime.socket_dependencies import SocketDependencies
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.accounts import AccountStore
from server.store.activity import ActivityStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import LONGEST_BLOCK, open_client, open_reader
from server.store.contract import NodeRegistry
from server.store.control_log import RedisControlLog
from server.store.entries import Entries
from server.store.inspection import (
    claim_layout,
    probe_durability,
    refuse_eviction,
    watch_eviction,
)
from server.store.key_use import KeyUse
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts
from server.store.sealed_records import SealedRecords
from server.store.sessions import RECORD_KEPT_AFTER_EXPIRY, RedisSessionStore
from server.store.single_use import SingleUseStore
from server.store.try_counters import TryCounters
from server.telemetry.audit import Audit
from server.telemetry.metrics import Metrics
from settings import Settings

CANCEL_AGAIN: Final = 0.1
"""Seconds between two tries to cancel a task."""


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers and commands are given.

    Attributes:
        node: this node's id.
        clock: the store's clock.
        keyring: the secret keys.
        accounts: who may sign in.
        sign_up: makes accounts for people.
        sign_in: begins sessions for people.
        reauthentication: proves again who is signed in.
        password_change: replaces one's own password.
        own_sessions: lists and ends one's own sessions.
        factors: an account's second factors.
        factor_changes: adds and removes one's own.
        sessions: the life of sessions.
        terminations: their ends, with receipts.
        hub: the sockets here.
        socket_dependencies: what sockets are made with.
        fence: whether this node may serve.
        metrics: what this process counts.
        audit: remembers what is worth looking into.
        activity: what an account's owner is shown of it.
        nodes: the list of nodes.
        key_use: which keys the nodes have.
        sealed: what lies in the store under which key.
    """

    node: str
    clock: StoreClock
    keyring: Keyring
    accounts: Accounts
    sign_up: SignUp
    sign_in: SignIn
    reauthentication: Reauthentication
    password_change: PasswordChange
    own_sessions: OwnSessions
    factors: SecondFactorSetup
    factor_changes: SecondFactorChanges
    sessions: SessionManager
    terminations: Terminations
    hub: Hub
    socket_dependencies: SocketDependencies
    fence: Fence
    metrics: Metrics
    audit: Audit
    activity: ActivityRecorder
    nodes: NodeRegistry
    key_use: KeyUse
    sealed: SealedRecords


@asynccontextmanager
async def open_services(settings: Settings, *, serves: bool = True) -> AsyncIterator[Services]:
    """Open everything for a server process, or for a command when it does not serve.

    A process that serves follows the streams from before it is on the list of nodes, and is on the
    list from before it serves, so no termination can miss it.

    Raises:
        StoreUnavailable: the store did not answer.
        ConfigurationError: the store does not fit the settings.
    """
    try:
        async with _services(settings, serves=serves) as services:
            yield services
    except BaseExceptionGroup as group:  # made by the task group, of whatever ended it first
        raise group.exceptions[0] from None


@asynccontextmanager
async def _services(settings: Settings, *, serves: bool) -> AsyncIterator[Services]:
    node, shards = os.urandom(6).hex(), settings.shards
    url = settings.store_url or store_url(settings.data_dir)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(url))
        reader = await stack.enter_async_context(open_reader(url))
        await claim_layout(client, shards)
        await refuse_eviction(client)

        clock, scripts = StoreClock(client), Scripts(client, settings.termination_replicas)
        await clock.synchronise()
        keyring = Keyring.from_secrets(settings.secret_keys)
        sealer, entries = Sealer(keyring), Entries(keyring, clock.now, node)
        hasher = PasswordHasher()
        stack.callback(hasher.close)

        def unreadable(what: str) -> Callable[[str], None]:
            return lambda user: audit.record(AuditEvent.DECRYPT_FAIL, user=user, what=what)

        account_store = AccountStore(client, scripts, sealer, shards, unreadable("account"))
        accounts = StoredAccounts(account_store, hasher, clock.now, _new_id)
        challenges = Challenges(
            sealer, clock.now, lambda use: audit.record(AuditEvent.CHALLENGE_REFUSED, use=use.value)
        )
        used = SingleUseStore(client, shards)
        metrics = Metrics(node, CollectorRegistry())
        activity_store = ActivityStore(client, scripts, sealer, shards, unreadable("activity"))
        activity = ActivityRecorder(activity_store, accounts, _new_id, time.monotonic)
        audit = Audit(clock.now, time.monotonic, activity.record, metrics.audited)
        stack.callback(audit.tell_left_out, closing=True)
        block = min(LONGEST_BLOCK, settings.node_lease / 6)
        surroundings = EngineDependencies(
            node=node,
            store=RedisSessionStore(
                client, scripts, SessionCodec(sealer), entries, clock, settings.rules, shards
            ),
            registry=RedisNodeRegistry(client, scripts, clock, shards, settings.node_lease),
            control=RedisControlLog(
                reader, client, scripts, entries, shards, node, block, serves=serves
            ),
            sealer=sealer,
            durability=await probe_durability(client),
            now=clock.now,
            monotonic=time.monotonic,
            random=os.urandom,
            counts=metrics.counts,
            record=audit.record,
        )
        key_use = KeyUse(
            client, node, keyring, settings.rules.absolute_timeout + RECORD_KEPT_AFTER_EXPIRY
        )
        engine = build_engine(surroundings, settings.rules, _timing(settings))
        stack.callback(engine.deadlines.close)
        metrics.watch(engine.hub, engine.fence)

        background = _Background(await stack.enter_async_context(asyncio.TaskGroup()))
        stack.push_async_callback(background.stop)
        background.start(activity.run())
        background.start(audit.run())
        stack.push_async_callback(activity.finish)
        await engine.follower.start()
        background.start(engine.follower.run())
        if serves:
            await key_use.publish()
            background.start(key_use.run())
            background.start(watch_eviction(client, settings.sweep_interval))
            stack.push_async_callback(engine.lease.release)
            for work in engine.serving():
                background.start(work)
            await engine.fence.opened()
        factors = SecondFactorSetup(account_store, challenges, used, shards, clock.now, _new_id)
        sessions, terminations = engine.sessions, engine.terminations
        check = SecondFactorCheck(
            account_store, challenges, used, sessions.epochs, clock.now, _new_id, audit.record
        )
        throttle = Throttle(
            TryCounters(scripts, keyring.derive("tries").newest[1], clock.now),
            _new_id,
            metrics.tried,
            audit.record,
        )
        yield Services(
            node=node,
            clock=clock,
            keyring=keyring,
            accounts=accounts,
            sign_up=SignUp(accounts, throttle, audit.record, is_open=settings.signup),
            sign_in=SignIn(accounts, check, throttle, sessions, audit.record),
            reauthentication=Reauthentication(accounts, check, throttle, sessions, audit.record),
            password_change=PasswordChange(
                accounts, factors, throttle, sessions, terminations, audit.record
            ),
            own_sessions=OwnSessions(sessions, terminations, audit.record),
            factors=factors,
            factor_changes=SecondFactorChanges(factors, sessions, terminations, audit.record),
            sessions=engine.sessions,
            terminations=engine.terminations,
            hub=engine.hub,
            socket_dependencies=engine.socket_dependencies,
            fence=engine.fence,
            metrics=metrics,
            audit=audit,
            activity=activity,
            nodes=surroundings.registry,
            key_use=key_use,
            sealed=SealedRecords(
                client, surroundings.store, account_store, activity_store, _new_id
            ),
        )


class _Background:
    """Tasks that run as long as the services; one that fails takes the process down with it."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run until `stop`."""
        self._tasks.append(self._group.create_task(work))

    async def stop(self) -> None:
        """Cancel all until they are gone: Python 3.11's `wait_for` can swallow a cancellation."""
        while left := [task for task in self._tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=CANCEL_AGAIN)


def _timing(settings: Settings) -> Timing:
    return Timing(
        node_lease=settings.node_lease,
        hold_timeout=settings.hold_timeout,
        sweep_interval=settings.sweep_interval,
        termination_wait=settings.termination_wait,
    )


def _new_id() -> str:
    return os.urandom(16).hex()
