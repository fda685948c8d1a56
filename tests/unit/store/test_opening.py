"""Connecting to a store and opening what is in it, as a process does at its start."""

from datetime import timedelta

import pytest

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.session import Rules
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.connection import LONGEST_BLOCK
from server.store.opening import StoreConnection, Stores, connect, open_stores
from tests.support.engine.keys import KEY
from tests.support.engine.quiet import quiet_context

KEYRING = Keyring.from_secrets([KEY])


def stores_of(store: StoreConnection, *, lease: timedelta, serves: bool = True) -> Stores:
    """What is in the store, for a node with this lease."""
    context = quiet_context(store.clock.now)
    sealer = Sealer(KEYRING)
    return open_stores(
        store,
        KEYRING,
        sealer,
        context,
        rules=Rules(),
        rules_change=False,
        lease=lease,
        serves=serves,
    )


async def test_a_store_is_laid_out_by_the_first_who_connects(store_url: str) -> None:
    async with connect(store_url, shards=4, replicas=0) as store:
        assert store.shards == 4
    with pytest.raises(ConfigurationError, match="laid out for 4"):
        async with connect(store_url, shards=8, replicas=0):
            pass


async def test_the_clock_is_read_before_anything_is_done(store_url: str) -> None:
    async with connect(store_url, shards=1, replicas=0) as store:
        seconds, _ = await store.client.time()
        assert abs(store.clock.now() - seconds) < 2


async def test_a_store_that_is_gone_opens_nothing(tmp_path: object) -> None:
    with pytest.raises(StoreUnavailable):
        async with connect(f"unix://{tmp_path}/nothing.sock", shards=1, replicas=0):
            pass


@pytest.mark.parametrize(
    ("lease", "block_ms"),
    [
        (timedelta(seconds=30), LONGEST_BLOCK / timedelta(milliseconds=1)),
        (timedelta(seconds=1.5), 250),
    ],
)
async def test_a_read_of_the_streams_takes_a_small_part_of_a_lease(
    store_url: str, lease: timedelta, block_ms: float
) -> None:
    async with connect(store_url, shards=1, replicas=0) as store:
        assert stores_of(store, lease=lease).controls[0]._block_ms == block_ms


@pytest.mark.parametrize(("serves", "streams"), [(True, 6), (False, 2)])
async def test_a_command_follows_nothing_but_what_answers_its_own_ends(
    store_url: str,
    serves: bool,  # noqa: FBT001 a case
    streams: int,
) -> None:
    async with connect(store_url, shards=2, replicas=0) as store:
        stores = stores_of(store, lease=timedelta(seconds=30), serves=serves)
        assert len(await stores.controls[0].tail()) == streams


async def test_a_cookie_is_of_use_until_its_session_is_too_old_and_forgotten(
    store_url: str,
) -> None:
    async with connect(store_url, shards=1, replicas=0) as store:
        key_use = stores_of(store, lease=timedelta(seconds=30)).key_use
        await key_use.publish()
        left = await key_use.cookie_lifetime_left(KEYRING.versions[0])
    assert Rules().absolute_timeout + timedelta(hours=1) < left
