from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.store import acl
from server.store.inspection import (
    claim_layout,
    evicting_policy,
    refuse_eviction,
)
from server.store.names import SHARD_COUNT


async def test_the_first_start_fixes_the_number_of_shards(client: Redis, raw: redis.Redis) -> None:
    await claim_layout(client, 4)
    await claim_layout(client, 4)
    assert raw.get(SHARD_COUNT) == b"4"
    with pytest.raises(ConfigurationError, match=r"CURFEW_SHARDS is 8, .* laid out for 4"):
        await claim_layout(client, 8)
    assert raw.get(SHARD_COUNT) == b"4"


@pytest.fixture
def settings(raw: redis.Redis) -> Iterator[redis.Redis]:
    """Settings of the shared store may be changed; they are put back."""
    yield raw
    raw.config_set("maxmemory", "0")
    raw.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("maxmemory", "policy", "expected"),
    [
        ("100mb", "allkeys-lru", "allkeys-lru"),
        ("100mb", "volatile-ttl", "volatile-ttl"),
        ("100mb", "noeviction", None),
        ("0", "allkeys-lru", None),
    ],
)
async def test_a_store_that_would_drop_keys_is_refused(
    client: Redis, settings: redis.Redis, maxmemory: str, policy: str, expected: str | None
) -> None:
    settings.config_set("maxmemory", maxmemory)
    settings.config_set("maxmemory-policy", policy)
    assert await evicting_policy(client) == expected
    if expected is None:
        await refuse_eviction(client)
    else:
        with pytest.raises(ConfigurationError, match=policy):
            await refuse_eviction(client)


@pytest.fixture
def without_rights(raw: Any) -> Iterator[None]:
    """Curfew's user may not read the store's settings."""
    raw.execute_command("ACL", "SETUSER", acl.USER, "-info")
    yield
    raw.execute_command("ACL", "SETUSER", acl.USER, "+info")


@pytest.mark.usefixtures("without_rights")
async def test_a_store_that_does_not_tell_promises_nothing(client: Redis) -> None:
    with pytest.raises(ConfigurationError, match="store acl"):
        await refuse_eviction(client)


async def test_a_store_that_is_gone_is_not_taken_for_one_that_does_not_tell(
    gone: Redis,
) -> None:
    with pytest.raises(StoreUnavailable):
        await refuse_eviction(gone)
