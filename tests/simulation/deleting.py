"""Accounts that are deleted and made anew while people sign in to them.

`SignIn` and `AccountChanges` are the real ones. What they ask the store is asked over the link of
the node; passwords are always right.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from server.accounts.account_changes import AccountChanges
from server.accounts.requester import Requester
from server.accounts.sign_in import SignIn
from server.core.account import Account
from server.core.errors import StoreUnavailable, WriteConflict
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.core.session import Device
from server.sessions.verdicts import LiveSession
from server.store.account_contract import StoredAccount
from server.store.contract import Conflict, Ended, Stored
from tests.simulation.history import Story
from tests.simulation.remote_store import RemoteStore
from tests.simulation.world import Node, World

USERS = ("ann", "bob")
NUMBERS = count(1)
"""Of accounts. They differ when a seed is replayed: only whether two are the same counts."""
REQUESTER = Requester(Device("a browser", "192.0.2.1"))


def _account(user: str, number: int) -> Account:
    return Account(user, "", admin=False, disabled=False, created_at=float(number))


@dataclass
class Accounts:
    """What `SignIn` and `AccountChanges` ask of accounts, of their index and of tries.

    Attributes:
        verified: the account that was verified last.
    """

    remote: RemoteStore
    verified: int = 0

    async def verify(self, username: str, _: str) -> Account | None:
        """Return the account."""
        self.verified = await self.remote.account(username)
        return _account(username, self.verified) if self.verified else None

    async def find(self, username: str) -> Account | None:
        """Return the account whose name the audit trail gets."""
        return await self.verify(username, "")

    async def load(self, user: str) -> StoredAccount | None:
        """See `AccountStore`."""
        found = await self.remote.account(user)
        return StoredAccount(_account(user, found), found, stale_key=False) if found else None

    async def load_to_change(self, user: str) -> StoredAccount | None:
        """See `AccountStore`."""
        found = await self.remote.account_to_change(user)
        return StoredAccount(_account(user, found), found, stale_key=False) if found else None

    async def remove(
        self,
        user: str,
        stored: StoredAccount | None,
        *,
        end_id: str,
        reason: Reason,
        initiator: str,
    ) -> Ended | Conflict:
        """See `AccountEnds`."""
        made = stored.revision if stored else 0
        return await self.remote.end_account(
            user, made, end_id=end_id, reason=reason, initiator=initiator
        )

    @asynccontextmanager
    async def sign_in(self, *_: str) -> AsyncIterator["Accounts"]:
        """Count a try."""
        await self.remote.count_try()
        yield self

    async def succeeded(self) -> None:
        """Take the try back."""
        await self.remote.count_try()

    def failed(self) -> None:
        """Leave the try."""

    async def forget(self, _: str) -> None:
        """Forget tries."""
        await self.remote.count_try()

    async def release_look(self, *_: object, **__: object) -> None:
        """Give up how the name looks."""
        await self.remote.count_try()


async def sign_in(node: Node, user: str) -> object:
    """Sign in by the password, and check under which account the session was made."""
    accounts = cast("Any", Accounts(node.remote))
    engine, record = node.engine, node.context.record
    acts = SignIn(accounts, cast("Any", None), accounts, engine.sessions, record)
    made = await acts.by_password(user, "right", REQUESTER)
    if isinstance(made, LiveSession):
        sid, truth = made.session.sid, node.world.truth
        found = [server.memory.made_under.get(sid) for server in truth.servers]
        if accounts.verified not in found:
            truth.violations.append(f"{sid} was begun for an account that was gone")
    return made


async def delete(node: Node, user: str) -> None:
    """Delete an account, and check the receipt."""
    accounts, before = cast("Any", Accounts(node.remote)), list(node.world.tokens)
    ends, sessions = node.engine.terminations, node.engine.sessions
    changes = AccountChanges(
        accounts, accounts, sessions, ends, accounts, node.engine.rooms, node.context
    )
    try:
        receipt = await changes.delete(user)
    except (StoreUnavailable, WriteConflict):
        return
    if isinstance(receipt, Receipt):
        node.world.check(node.name, receipt)
        covered = [token for token, made in before if made.user == user]
        node.world.truth.received(node.name, receipt, covered)


def _begin(world: World) -> None:
    world.begin_session = sign_in
    world.memory.accounts.update((user, next(NUMBERS)) for user in USERS)


async def make_anew(node: Node, user: str) -> None:
    """Make the account of a user, if there is none, and sign in to it."""
    try:
        await node.remote.make_account(user, next(NUMBERS))
    except StoreUnavailable:
        return
    await node.world.sign_in(node, user)


def _delete(world: World) -> None:
    """Delete an account while people sign in to it; often it is made anew at once."""
    chance, user = world.chance, world.chance.choice(USERS)

    def somewhere() -> Node:
        return chance.choice(world.nodes)

    for _ in range(chance.choice([0, 1, 2])):
        node = somewhere()
        later = chance.uniform(0, 0.02)
        world.loop.call_later(later, lambda node=node: node.spawn(world.sign_in(node, user)))
    node = somewhere()
    world.loop.call_later(chance.uniform(0, 0.02), lambda: node.spawn(delete(node, user)))
    maker = somewhere()
    again = chance.choice([0.005, 0.02, 0.1, 1.0])
    world.loop.call_later(again, lambda: maker.spawn(make_anew(maker, user)))


def _check(world: World) -> None:
    """Check that no session lives on that was begun under another account."""
    memory = world.memory
    for sid, (session, *_) in memory.records.items():
        is_live = isinstance(memory.load(sid), Stored)
        if is_live and memory.made_under[sid] != memory.accounts.get(session.user or "", 0):
            world.truth.violations.append(f"{sid} outlived its account")


DELETING = Story(_begin, [_delete], [8], _check)
