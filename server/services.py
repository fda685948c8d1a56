"""The composition root: opens everything in order, and closes it in reverse."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from server.account_parts import (
    AccountParts,
    account_parts,
    build_account_changes,
    build_second_factors,
    opened_accounts,
)
from server.accounts.account_changes import AccountChanges
from server.accounts.accounts import StoredAccounts
from server.accounts.activity import ActivityRecorder
from server.accounts.own_sessions import OwnSessions
from server.accounts.password_change import PasswordChange
from server.accounts.reauthentication import Reauthentication
from server.accounts.renaming import Renaming
from server.accounts.second_factor_changes import SecondFactorChanges
from server.accounts.second_factor_setup import SecondFactorSetup
from server.accounts.sign_in import SignIn
from server.accounts.sign_up import SignUp
from server.accounts.throttle import Throttle
from server.background import Background, background_tasks
from server.core.receipt import Durability
from server.core.tracing import Tracer
from server.crypto.keyring import Keyring
from server.crypto.passwords import PasswordHasher
from server.engine import Engine, EngineDependencies, Timing, build_engine
from server.foundation import Foundation, open_foundation
from server.realtime.rooms import Rooms
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.account_contract import OpenAccounts
from server.store.clock import StoreClock
from server.store.contract import NodeRegistry
from server.store.durability import durability_now
from server.store.end_watch import EndWatch
from server.store.inspection import watch_eviction
from server.store.key_use import KeyUse
from server.store.key_witness import KeyWitness
from server.store.node_rules import NodeRulesBoard
from server.store.openable_records import OpenableRecords
from server.store.opening import StoreConnection, Stores
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
        account_changes: lists and deletes accounts, gives and takes the role of an administrator.
        renaming: gives accounts other names.
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
        end_watch: reads the latest ends, for people who look.
        tracer: makes traces, where an operator asked for them.
    """

    store: StoreConnection
    clock: StoreClock
    durability: Callable[[], Awaitable[Durability]]
    keyring: Keyring
    metrics: Metrics
    audit: Audit
    engine: Engine
    accounts: StoredAccounts
    account_changes: AccountChanges
    renaming: Renaming
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
    end_watch: EndWatch
    tracer: Tracer

    @property
    def sessions(self) -> SessionManager:
        """Creates, judges, changes and lists sessions."""
        return self.engine.sessions

    @property
    def terminations(self) -> Terminations:
        """Ends sessions with receipts."""
        return self.engine.terminations

    @property
    def rooms(self) -> Rooms:
        """Makes rooms, adds and removes members, publishes to rooms, users, sessions, sockets."""
        return self.engine.rooms


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    serves: bool = True,
    prepares: bool = False,
    keys_must_fit: bool = True,
    accounts: OpenAccounts | None = None,
) -> AsyncIterator[Services]:
    """Open everything for a server process, or for a command, which does not serve.

    Args:
        settings: the settings.
        serves: whether this process serves.
        prepares: whether other processes are about to serve on this store. As for a server, the
            store is waited for, and one that drops keys is refused.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
        accounts: opens the accounts, where an application keeps them itself.

    Raises:
        StoreNotReached: the store did not answer; a command does not wait for it.
        StoreUnavailable: the store did not answer any more.
        ConfigurationError: the store does not fit the settings.
    """
    async with AsyncExitStack() as stack:
        base = await open_foundation(settings, stack, for_serving=serves or prepares)
        stores = base.open_stores(serves=serves)
        if keys_must_fit:
            await stores.witness.require()
        engine = _build_engine(base, stores, serves=serves)
        stack.callback(engine.close)
        # Timers of deadlines go on as they were set. After a step, some deadlines are already over.
        base.store.clock.subscribe(engine.reconciler.sweep_soon)
        hasher = PasswordHasher()
        stack.callback(hasher.close)
        elsewhere = await opened_accounts(accounts, stack)
        parts = account_parts(base, stores, elsewhere)
        services = _build_services(base, stores, parts, engine, hasher)
        services.audit.subscribe(services.activity.record)
        services.metrics.watch(engine.hub, engine.fence)
        services.metrics.set_up.watch_passwords(hasher.threads)

        background = await stack.enter_async_context(background_tasks())
        await _follow(services, background, stack)
        if not serves:
            await engine.lease.look()
            background.start(engine.room_follower.run())
        else:
            background.start(watch_eviction(base.store.client, settings.sweep_interval))
            background.start(stores.watch.run())
            background.start(parts.upkeep())
            background.start(stores.live.run(services.metrics.set_up.live_sessions))
            await _serve(services, background, stack)
        yield services


def _build_engine(base: Foundation, stores: Stores, *, serves: bool) -> Engine:
    timing = Timing(
        node_lease=base.settings.node_lease,
        hold_timeout=base.settings.hold_timeout,
        sweep_interval=base.settings.sweep_interval,
        termination_wait=base.settings.termination_wait,
    )
    return build_engine(
        EngineDependencies(
            stores.sessions,
            stores.nodes,
            stores.controls[0],
            stores.rooms,
            base.sealer,
            base.store.vouched_at,
            stores.shards,
        ),
        base.settings.rules,
        timing if serves else timing.of_a_command(),
        base.context,
    )


def _build_services(
    base: Foundation, stores: Stores, parts: AccountParts, engine: Engine, hasher: PasswordHasher
) -> Services:
    context, record = base.context, base.context.record
    sessions, terminations = engine.sessions, engine.terminations
    accounts = StoredAccounts(parts.accounts, hasher, context)
    throttle = Throttle(stores.tries, context, base.settings.sign_up_limits)
    changes, renaming = build_account_changes(parts, stores, engine, throttle, context)
    check, factors = build_second_factors(base, parts.accounts, stores, sessions)
    return Services(
        store=base.store,
        clock=base.store.clock,
        durability=partial(durability_now, base.store.client, base.store.shards),
        keyring=base.keyring,
        metrics=base.metrics,
        audit=base.audit,
        engine=engine,
        accounts=accounts,
        account_changes=changes,
        renaming=renaming,
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
        end_watch=stores.end_watch,
        tracer=context.tracer,
    )


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
