"""The composition root: opens everything in order, joins it, closes it in reverse."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from server.accounts import Accounts, StoredAccounts
from server.crypto.keyring import Keyring
from server.crypto.passwords import PasswordHasher
from server.crypto.sealer import Sealer
from server.live.deadlines import DeadlineKeeper
from server.live.dispatch import Dispatch
from server.live.follower import Follower
from server.live.hub import Hub, LiveSession
from server.live.lease import Lease
from server.live.messenger import Messenger
from server.live.presence import Presence
from server.live.receipts import ReceiptDesk
from server.live.reconciler import Reconciler
from server.sessions import SessionManager
from server.store import embedded
from server.store.accounts import RedisAccountStore
from server.store.clock import StoreClock
from server.store.codec import SessionCodec
from server.store.connection import open_client, open_reader
from server.store.inspection import claim_layout, durability_of
from server.store.log import RedisControlLog
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts
from server.store.sessions import RedisSessionStore
from server.terminations import Terminations
from settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What handlers and commands are given.

    Attributes:
        node: this node's id.
        clock: the store's clock.
        keyring: the secret keys.
        sessions: the life of sessions.
        terminations: their ends, with receipts.
        accounts: who may sign in.
        hub: the sockets here.
        deadlines: keeps the deadlines of sessions with sockets here.
        messenger: application data between sockets.
        lease: this node's place on the list of nodes.
        follower: this node's place in the control stream.
    """

    node: str
    clock: StoreClock
    keyring: Keyring
    sessions: SessionManager
    terminations: Terminations
    accounts: Accounts
    hub: Hub
    deadlines: DeadlineKeeper
    messenger: Messenger
    lease: Lease
    follower: Follower


@asynccontextmanager
async def open_services(settings: Settings, *, serves: bool = True) -> AsyncIterator[Services]:
    """Open everything for a server process, or for a command when it does not serve.

    A process that serves follows the streams from before it is on the list of nodes, and is on the
    list from before it serves, so no termination can miss it.

    Raises:
        StoreUnavailable: the store did not answer.
        ConfigurationError: the store does not fit the settings.
    """
    node = os.urandom(6).hex()
    url = settings.store_url or embedded.store_url(settings.data_dir)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(url))
        reader = await stack.enter_async_context(open_reader(url))
        await claim_layout(client, settings.shards)

        clock, scripts = StoreClock(client), Scripts(client)
        await clock.synchronise()
        keyring = Keyring.from_secrets(settings.secret_keys)
        sealer = Sealer(keyring)
        rules, shards = settings.rules, settings.shards
        store = RedisSessionStore(client, scripts, SessionCodec(sealer), clock, rules, shards)
        control = RedisControlLog(reader, client, shards, node, serves=serves)
        registry = RedisNodeRegistry(client, scripts, clock, shards, settings.node_lease)

        sessions = SessionManager(store, rules, clock.now, os.urandom, node)
        desk = ReceiptDesk()
        terminations = Terminations(
            store, desk, os.urandom, node, settings.termination_wait, await durability_of(client)
        )
        hasher = PasswordHasher()
        stack.callback(hasher.close)
        accounts = StoredAccounts(
            RedisAccountStore(client, scripts, sealer, shards), hasher, clock.now, _new_id
        )

        presence = Presence(lambda user, sid, count: store.count_sockets(user, sid, node, count))

        def on_change(live: LiveSession) -> None:
            presence.changed(live)
            if not live.connections:
                deadlines.forget(live.sid)

        hub = Hub(on_change)
        deadlines = DeadlineKeeper(hub, rules, clock.now, sessions.look)
        stack.callback(deadlines.close)
        messenger = Messenger(hub, control, sealer)
        reconciler = Reconciler(hub, sessions.look, settings.sweep_interval)
        dispatch = Dispatch(node, hub, deadlines, desk, control, messenger)
        follower = Follower(control, dispatch.apply, reconciler.after_gap)
        lease = Lease(registry, node, settings.node_lease)

        background = _Background(await stack.enter_async_context(asyncio.TaskGroup()))
        stack.callback(background.stop)
        await follower.start()
        background.start(follower.run())
        if serves:
            await lease.renew()
            stack.push_async_callback(lease.release)
            for work in (lease.run, presence.run, reconciler.run):
                background.start(work())
        yield Services(
            node=node,
            clock=clock,
            keyring=keyring,
            sessions=sessions,
            terminations=terminations,
            accounts=accounts,
            hub=hub,
            deadlines=deadlines,
            messenger=messenger,
            lease=lease,
            follower=follower,
        )


class _Background:
    """Tasks that run as long as the services; one that fails takes the process down with it."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run until `stop`."""
        self._tasks.append(self._group.create_task(work))

    def stop(self) -> None:
        """Cancel all."""
        for task in self._tasks:
            task.cancel()


def _new_id() -> str:
    return os.urandom(16).hex()
