"""The composition root: opens everything in order, and closes it in reverse."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

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
from server.core.receipt import Durability
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
from server.store.durability import durability_now
from server.store.inspection import watch_eviction
from server.store.key_use import KeyUse
from server.store.key_witness import KeyWitness
from server.store.node_rules import NodeRulesBoard
from server.store.openable_records import OpenableRecords
from server.store.opening import StoreConnection, Stores, connect, open_stores
from server.store.sealed_records import SealedRecords
from server.telemetry.audit import Audit
from server.telemetry.metrics import Metrics
from settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers and commands use.

    Attributes:
        store: the connection to the store.
        clock: the store's clock.
        durability: finds out by a write how durable the store's writes are now.
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
        openable: the records in the store, by whether they open.
        witness: compares the keys with the data in the store.
        node_rules: compares the session rules with those of other nodes.
    """

    store: StoreConnection
    clock: StoreClock
    durability: Callable[[], Awaitable[Durability]]
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
    openable: OpenableRecords
    witness: KeyWitness
    node_rules: NodeRulesBoard

    @property
    def sessions(self) -> SessionManager:
        """Creates, judges, changes and lists sessions."""
        return self.engine.sessions

    @property
    def terminations(self) -> Terminations:
        """Ends sessions with receipts."""
        return self.engine.terminations


@asynccontextmanager
async def open_services(
    settings: Settings, *, serves: bool = True, prepares: bool = False, keys_must_fit: bool = True
) -> AsyncIterator[Services]:
    """Open everything for a server process, or for a command, which does not serve.

    Args:
        settings: the settings.
        serves: whether this process serves.
        prepares: whether other processes are about to serve on this store. As for a server, the
            store is waited for, and one that drops keys is refused.
        keys_must_fit: whether to refuse keys that do not open what is in the store.

    Raises:
        StoreNotReached: the store did not answer; a command does not wait for it.
        StoreUnavailable: the store did not answer any more.
        ConfigurationError: the store does not fit the settings.
    """
    try:
        opened = _services(settings, serves=serves, prepares=prepares, keys_must_fit=keys_must_fit)
        async with opened as services:
            yield services
    except BaseExceptionGroup as group:  # the task group wraps the error that ended it
        raise group.exceptions[0] from None


@asynccontextmanager
async def _services(
    settings: Settings, *, serves: bool, prepares: bool, keys_must_fit: bool
) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        base = await _open_base(settings, stack, for_serving=serves or prepares)
        stores = _open_stores(base, serves=serves)
        if keys_must_fit:
            await stores.witness.require()
        engine = _build_engine(base, stores, serves=serves)
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
            background.start(stores.watch.run())
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


async def _open_base(settings: Settings, stack: AsyncExitStack, *, for_serving: bool) -> _Base:
    store = await stack.enter_async_context(
        connect(
            settings.store_url or store_url(settings.data_dir),
            shards=settings.shards,
            replicas=settings.termination_replicas,
            serves=for_serving,
            wait=settings.store_wait if for_serving else timedelta(),
        )
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
        rules_change=base.settings.rules_change,
        visitor_limits=base.settings.visitor_limits,
        lease=base.settings.node_lease,
        serves=serves,
    )


def _build_engine(base: _Base, stores: Stores, *, serves: bool) -> Engine:
    timing = Timing(
        node_lease=base.settings.node_lease,
        hold_timeout=base.settings.hold_timeout,
        sweep_interval=base.settings.sweep_interval,
        termination_wait=base.settings.termination_wait,
    )
    return build_engine(
        EngineDependencies(stores.sessions, stores.nodes, stores.control, base.sealer),
        base.settings.rules,
        timing if serves else timing.of_a_command(),
        base.context,
    )


def _build_services(
    base: _Base, stores: Stores, engine: Engine, hasher: PasswordHasher
) -> Services:
    context, record = base.context, base.context.record
    sessions, terminations = engine.sessions, engine.terminations
    accounts = StoredAccounts(stores.accounts, hasher, context)
    throttle = Throttle(stores.tries, context, base.settings.sign_up_limits)
    challenges = Challenges(base.sealer, context.now, partial(_record_forged_challenge, context))
    check = SecondFactorCheck(
        stores.accounts, challenges, stores.single_use, sessions.epochs, context
    )
    factors = SecondFactorSetup(
        stores.accounts, challenges, stores.single_use, base.store.shards, context
    )
    return Services(
        store=base.store,
        clock=base.store.clock,
        durability=partial(durability_now, base.store.client),
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
        openable=stores.openable,
        witness=stores.witness,
        node_rules=stores.node_rules,
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
    await services.node_rules.agree()
    background.start(services.node_rules.run())
