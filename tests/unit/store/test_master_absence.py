"""What a connection to a former master lacks is missing only where a master says so."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.core.account import Account
from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.absence import require_master
from server.store.accounts import AccountStore
from server.store.batch import BatchedLoads
from server.store.change_account import change_account
from server.store.connection import open_client
from server.store.names import ShardNames
from server.store.scripts import Scripts
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import Unreadable
from tests.support.servers.two_masters import WHERE, TwoMasters


def accounts_on(client: Redis) -> AccountStore:
    """The accounts of a store."""
    sealer = Sealer(Keyring.from_secrets([KEY]))
    return AccountStore(client, Scripts(client), sealer, 1, Unreadable())


async def test_a_session_is_missing_only_where_a_master_says_so(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    """It began on the second, while idle connections lead to the first, which answers reads."""
    loads, names = BatchedLoads(link[0]), ShardNames(0)
    two.demote()
    with pytest.raises(StoreUnavailable):
        await loads.load(names, "a")
    two.move()
    with two.second.client() as owner:
        owner.set(names.session("a"), "new")
    assert (await loads.load(names, "a")).value == b"new"
    assert (await loads.load(names, "b")).value is None


async def test_connections_to_a_replica_are_left_with_the_first_session_that_it_lacks(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    loads, names = BatchedLoads(link[0]), ShardNames(0)
    two.demote()
    two.move()
    with two.second.client() as owner:
        owner.set(names.session("a"), "new")
    assert (await loads.load(names, "a")).value == b"new"
    assert await link[1].get(WHERE) == b"second"


async def test_an_account_is_missing_for_its_changes_only_where_a_master_says_so(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    """It was made on the second, while idle connections lead to the first."""
    made = Account("ann", "hash", admin=False, disabled=False, created_at=1.5)
    two.demote()
    two.move()
    with two.second.client() as owner:
        owner.delete(ShardNames(0).account("ann"))
    async with open_client(two.url) as other:
        assert await accounts_on(other).save(made, based_on=0, operation="o1")
    disabled = replace(made, disabled=True)
    assert (
        await change_account(accounts_on(link[0]), "ann", lambda _: disabled, lambda: "o2")
        == disabled
    )


async def test_a_passkeys_user_is_unknown_only_where_a_master_says_so(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    handle = "00" + "A" * 22
    two.demote()
    two.move()
    async with open_client(two.url) as other:
        await accounts_on(other).point_handle(handle, "ann")
    assert await accounts_on(link[0]).user_of_handle(handle) == "ann"


async def test_who_asks_for_the_master_leaves_a_replica(
    two: TwoMasters, link: tuple[Redis, Redis]
) -> None:
    two.demote()
    two.move()
    assert await link[0].get(WHERE) == b"first"
    await require_master(link[0])
    assert await link[0].get(WHERE) == b"second"


@pytest.mark.parametrize("asks", [AccountStore.load_to_change, AccountStore.exists])
async def test_a_name_is_free_only_where_a_master_says_so(
    two: TwoMasters,
    link: tuple[Redis, Redis],
    asks: Callable[[AccountStore, str], Awaitable[object]],
) -> None:
    with two.second.client() as owner:
        owner.delete(ShardNames(0).account("bob"))
    two.demote()
    with pytest.raises(StoreUnavailable):
        await asks(accounts_on(link[0]), "bob")
    two.move()
    assert not await asks(accounts_on(link[0]), "bob")
