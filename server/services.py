"""The composition root: opens everything in order, and closes it in reverse."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
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
from server.background import Background
from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.crypto.challenges import Challenges, Use
from server.crypto.keyring import Keyring
from server.crypto.passwords import PasswordHasher
from server.crypto.sealer import Sealer
from server.embedded.store import store_url
from server.engine import Engine, EngineDependencies, Timing, build_engine
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.clock import StoreClock
from server.store.contract import NodeRegistry
from server.store.inspection import probe_durability, watch_eviction
from server.store.key_use import KeyUse
from server.store.opening import StoreConnection, Stores, connect, open_stores
from server.store.sealed_records import SealedRecords
from server.telemetry.audit import Audit
from server.telemetry.metrics import Metrics
from settings import Settings

LEASES_OF_A_COMMAND: Final = 1.2
"""How long a command waits for a receipt at least, in leases."""


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers and commands use.

    Attributes:
        clock: the store's clock.
        keyring: the secret keys.
        metrics: what this process counts.
        audit: records events that an investigation may need.
        engine: what serves the sessions of this node.
        accounts: who may sign in.
        sign_up: creates accounts for people.
        sign_in: begins sessions for people.
        reauthentication: proves again who is signed in.
        password_change: replaces one's own password.
        own_sessions: lists and ends one's own sessions.
        factors: an account's second factors.
        factor_changes: adds and removes one's own second factors.
        activity: the recent activity that an account's owner is shown.
        nodes: the lists of nodes.
        key_use: which keys the nodes have.
        sealed: the records in the store, by the key that sealed them.
    """

    clock: StoreClock
    keyring: Keyring
    metrics: Metrics
    audit: Audit
    engine: Engine
    accounts: Accounts
    sign_up: SignUp
    sign_in: SignIn
    reauthentication: Reauthentication
    password_change: PasswordChange
    own_sessions: OwnSessions
    factors: SecondFactorSetup
    factor_changes: SecondFactorChanges
    activity: ActivityRecorder
    nodes: NodeRegistry
    key_use: KeyUse
    sealed: SealedRecords

    @property
    def sessions(self) -> SessionManager:
        """Creates, judges, changes and lists sessions."""
        return self.engine.sessions

    @property
    def terminations(self) -> Terminations:
        """Ends sessions with receipts."""
        return self.engine.terminations


@asynccontextmanager
async def open_services(settings: Settings, *, serves: bool = True) -> AsyncIterator[Services]:
    """Open everything for a server process, or for a command, which does not serve.

    Raises:
        StoreUnavailable: the store did not answer.
        ConfigurationError: the store does not fit the settings.
    """
    try:
        async with _services(settings, serves=serves) as services:
            yield services
    except BaseExceptionGroup as group:  # the task group wraps the error that ended it
        raise group.exceptions[0] from None


@asynccontextmanager
async def _services(settings: Settings, *, serves: bool) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        base = await _open_base(settings, stack)
        stores = _open_stores(base, serves=serves)
        engine = await _build_engine(base, stores, serves=serves)
        stack.callback(engine.close)
        # Timers of deadlines go on as they were set. After a step, some deadlines are already over.
        base.store.clock.subscribe(engine.reconciler.sweep_soon)
        hasher = PasswordHasher()
        stack.callback(hasher.close)
        services = _build_services(base, stores, engine, hasher)
        services.audit.subscribe(services.activity.record)
        services.metrics.watch(engine.hub, engine.fence)

        background = Background(await stack.enter_async_context(asyncio.TaskGroup()))
        stack.push_async_callback(background.stop)
        await _follow(services, background, stack)
        if not serves:
            await engine.lease.look()
        else:
            background.start(watch_eviction(base.store.client, settings.sweep_interval))
            await _serve(services, background, stack)
        yield services


@dataclass(frozen=True, slots=True)
class _Base:
    """The connection to the store, the keys, and what records and counts."""

    settings: Settings
    store: StoreConnection
    keyring: Keyring
    sealer: Sealer
    metrics: Metrics
    audit: Audit
    context: NodeContext


async def _open_base(settings: Settings, stack: AsyncExitStack) -> _Base:
    url = settings.store_url or store_url(settings.data_dir)
    store = await stack.enter_async_context(
        connect(url, shards=settings.shards, replicas=settings.termination_replicas)
    )
    node, now, monotonic = os.urandom(6).hex(), store.clock.now, time.monotonic
    keyring = Keyring.from_secrets(settings.secret_keys)
    metrics = Metrics(node, CollectorRegistry())
    audit = Audit(now, monotonic, metrics.audited)
    stack.callback(audit.report_left_out, closing=True)
    context = NodeContext(node, now, monotonic, os.urandom, metrics.counts, audit.record)
    return _Base(settings, store, keyring, Sealer(keyring), metrics, audit, context)


def _open_stores(base: _Base, *, serves: bool) -> Stores:
    return open_stores(
        base.store,
        base.keyring,
        base.sealer,
        base.context,
        rules=base.settings.rules,
        lease=base.settings.node_lease,
        serves=serves,
    )


async def _build_engine(base: _Base, stores: Stores, *, serves: bool) -> Engine:
    durability = await probe_durability(base.store.client)
    lease, wait = base.settings.node_lease, base.settings.termination_wait
    timing = Timing(
        node_lease=lease,
        hold_timeout=base.settings.hold_timeout,
        sweep_interval=base.settings.sweep_interval,
        # A command has not watched the other nodes before, so it needs a lease to see who is gone.
        termination_wait=wait if serves else max(wait, LEASES_OF_A_COMMAND * lease),
    )
    return build_engine(
        EngineDependencies(stores.sessions, stores.nodes, stores.control, base.sealer, durability),
        base.settings.rules,
        timing,
        base.context,
    )


def _build_services(
    base: _Base, stores: Stores, engine: Engine, hasher: PasswordHasher
) -> Services:
    context, record = base.context, base.context.record
    sessions, terminations = engine.sessions, engine.terminations
    accounts = StoredAccounts(stores.accounts, hasher, context)
    throttle = Throttle(stores.tries, context)
    challenges = Challenges(base.sealer, context.now, partial(_record_forged_challenge, context))
    check = SecondFactorCheck(
        stores.accounts, challenges, stores.single_use, sessions.epochs, context
    )
    factors = SecondFactorSetup(
        stores.accounts, challenges, stores.single_use, base.store.shards, context
    )
    return Services(
        clock=base.store.clock,
        keyring=base.keyring,
        metrics=base.metrics,
        audit=base.audit,
        engine=engine,
        accounts=accounts,
        sign_up=SignUp(accounts, throttle, record, is_open=base.settings.signup),
        sign_in=SignIn(accounts, check, throttle, sessions, record),
        reauthentication=Reauthentication(accounts, check, throttle, sessions, record),
        password_change=PasswordChange(accounts, factors, throttle, sessions, terminations, record),
        own_sessions=OwnSessions(sessions, terminations, record),
        factors=factors,
        factor_changes=SecondFactorChanges(factors, sessions, terminations, record),
        activity=ActivityRecorder(stores.activity, accounts, context),
        nodes=stores.nodes,
        key_use=stores.key_use,
        sealed=stores.sealed,
    )


def _record_forged_challenge(context: NodeContext, use: Use) -> None:
    context.record(AuditEvent.CHALLENGE_REFUSED, use=use.value)


async def _follow(services: Services, background: Background, stack: AsyncExitStack) -> None:
    """Start what commands need, too: the follower, and the writing of what they record."""
    background.start(services.activity.run())
    background.start(services.audit.run())
    stack.push_async_callback(services.activity.finish)
    await services.engine.follower.start()
    background.start(services.engine.follower.run())


async def _serve(services: Services, background: Background, stack: AsyncExitStack) -> None:
    """Start what a server needs, and wait until it may serve.

    The node already follows the streams here. It is listed from before it serves, so no termination
    can miss it.
    """
    await services.key_use.publish()
    background.start(services.key_use.run())
    stack.push_async_callback(services.engine.lease.release)
    for work in services.engine.serving():
        background.start(work)
    await services.engine.fence.opened()
