import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.store import acl
from server.store.connection import open_client
from server.store.inspection import (
    claim_layout,
    evicting_policy,
    refuse_eviction,
    refuse_unfit,
    replicas_of_masters,
    version_findings,
    watch_eviction,
)
from server.store.names import SHARD_COUNT
from tests.support.running.waiting import until
from tests.support.servers.scripted import Reply, ScriptedServer, scripted_server


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


@pytest.mark.usefixtures("without_rights")
async def test_of_a_store_that_does_not_tell_its_version_and_its_replicas_nothing_is_found(
    client: Redis,
) -> None:
    assert await version_findings(client) == []
    assert await replicas_of_masters(client) == [None]


async def test_the_replicas_of_each_master_are_counted(client: Redis) -> None:
    assert await replicas_of_masters(client) == [0]


async def test_a_store_that_is_gone_is_not_taken_for_one_that_does_not_tell(
    gone: Redis,
) -> None:
    for ask in (refuse_eviction, version_findings, replicas_of_masters, refuse_unfit):
        with pytest.raises(StoreUnavailable):
            await ask(gone)


async def test_a_store_that_begins_to_drop_keys_is_told_of_whatever_it_did_before(
    client: Redis, gone: Redis, settings: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    settings.config_set("maxmemory", "100mb")
    settings.config_set("maxmemory-policy", "allkeys-lru")
    watches = [asyncio.create_task(watch_eviction(e, timedelta(0))) for e in (gone, client)]

    async def is_told() -> bool:
        return "the store drops keys when it is full" in caplog.text

    await until(is_told)
    assert not any(each.done() for each in watches)
    for each in watches:
        each.cancel()
    await asyncio.gather(*watches, return_exceptions=True)


def client_of(server: ScriptedServer) -> Redis:
    """Return a client of it."""
    return open_client(f"redis://127.0.0.1:{server.port}")


@pytest.mark.parametrize(
    ("version", "mode", "told"),
    [
        ("6.2.14", "standalone", r"leads to Redis 6\.2\.14, .* Needed: Redis 7\.0 or later"),
        ("7.2.4", "sentinel", r"leads to a sentinel\. Needed: .*redis\+sentinel://"),
        ("7.0.15", "standalone", None),
    ],
)
async def test_a_server_that_is_too_old_or_no_store_is_refused(
    version: str, mode: str, told: str | None
) -> None:
    def answer(words: list[str]) -> Reply:
        if words == ["INFO", "server"]:
            return f"redis_version:{version}\r\nredis_mode:{mode}\r\n"
        return "role:master\r\n" if words[0] == "INFO" else "OK"

    async with scripted_server(answer) as server, client_of(server) as client:
        if told is None:
            await refuse_unfit(client)
        else:
            with pytest.raises(ConfigurationError, match=told):
                await refuse_unfit(client)


@pytest.mark.parametrize(
    ("nodes", "is_taken"),
    [
        ("0 a:1@2 myself,master - 0 0 1 connected 0-16383", True),
        ("0 a:1@2 myself,master - 0 0 1 connected 0-99", False),
        (Exception("NOPERM no rights"), False),  # as for a user of `store acl` on one server
        (Exception("ERR unknown command"), True),  # a proxy, which has all keys
    ],
)
async def test_a_member_of_a_cluster_is_taken_only_if_it_tells_that_it_has_all_keys(
    nodes: Reply, *, is_taken: bool
) -> None:
    def answer(words: list[str]) -> Reply:
        if words == ["CLUSTER", "NODES"]:
            return nodes
        if words == ["INFO", "server"]:
            return "redis_version:7.2.4\r\nredis_mode:cluster\r\n"
        return "role:master\r\n" if words[0] == "INFO" else "OK"

    async with scripted_server(answer) as server, client_of(server) as client:
        await refuse_unfit(client, may_be_part=True)
        if is_taken:
            await refuse_unfit(client)
        else:
            with pytest.raises(ConfigurationError, match=r"redis\+cluster://"):
                await refuse_unfit(client)


async def test_a_server_that_does_not_tell_its_version_is_taken() -> None:
    def answer(words: list[str]) -> Reply:
        return Exception("NOPERM no rights") if words[0] == "INFO" else "OK"

    async with scripted_server(answer) as server, client_of(server) as client:
        await refuse_unfit(client)
