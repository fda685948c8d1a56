"""Checks of a store before it is used."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.receipt import Durability
from server.store.connection import execute
from server.store.names import SHARD_COUNT

log = logging.getLogger("curfew.store")

PROBES: Final = 7
PROBE_MS: Final = 20
"""Most of the probes must be on the disk within this time each; the others may find the machine
busy. A store that syncs once a second passes one of them by chance."""


async def claim_layout(client: Redis, shards: int) -> None:
    """Note for how many shards the store is laid out, or check the note that is there.

    Nothing is written if there is a note: a store whose memory is full can be used all the same.

    Args:
        client: the store.
        shards: how many shards the settings ask for.

    Raises:
        ConfigurationError: the store has another number of shards; users would not be found.
        StoreUnavailable: the store did not answer.
    """
    note = await execute("claim layout", lambda: client.get(SHARD_COUNT))
    if note is None:
        await execute("claim layout", lambda: client.set(SHARD_COUNT, shards, nx=True))
        note = await execute("claim layout", lambda: client.get(SHARD_COUNT))
    found = int(note)
    if found != shards:
        detail = f"CURFEW_SHARDS is {shards}, but this store was laid out for {found}. Set {found}."
        raise ConfigurationError(detail)


async def evicting_policy(client: Redis) -> str | None:
    """Return the policy by which the store drops keys when it is full; None if it keeps all.

    Raises:
        StoreUnavailable: the store did not answer, or does not tell.
    """
    memory = await execute("INFO memory", lambda: client.info("memory"))
    policy = str(memory.get("maxmemory_policy", "noeviction"))
    return policy if int(memory.get("maxmemory", 0)) and policy != "noeviction" else None


async def refuse_eviction(client: Redis) -> None:
    """Refuse a store that drops keys when it is full.

    Raises:
        ConfigurationError: it would drop a tombstone and so let an ended session live again, or
            it does not tell.
        StoreUnavailable: the store did not answer.
    """
    try:
        policy = await evicting_policy(client)
    except StoreUnavailable as error:
        if error.cause not in {"NoPermissionError", "ResponseError"}:
            raise
        raise ConfigurationError(
            "The store does not say whether it drops keys when it is full. Let Curfew's user ask: "
            "python run.py store acl"
        ) from None
    if policy:
        raise refusal_of(policy)


def refusal_of(policy: str) -> ConfigurationError:
    """Return why no server starts on a store that drops keys by this policy."""
    return ConfigurationError(
        f"The store drops keys when it is full: maxmemory-policy is {policy}. An end that was "
        "dropped lets the session live again. Set maxmemory-policy noeviction."
    )


async def watch_eviction(client: Redis, interval: timedelta) -> None:
    """Log an error whenever the store drops keys when it is full, until cancelled.

    Args:
        client: the store.
        interval: how often to check.
    """
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            policy = await evicting_policy(client)
        except StoreUnavailable:
            continue
        if policy:
            log.error("the store drops keys when it is full", extra={"policy": policy})


async def probe_durability(client: Redis) -> Durability:
    """Return how durable a write is when it is answered; `MEMORY` if the store does not tell.

    A store whose memory is full does not: it takes ends, and not this write.

    The answer is found by writing: `WAITAOF` reports at once that a write is on the disk only if
    each write is synced before its reply. The settings would say it too, but the right to read them
    also shows passwords.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    try:
        late = 0
        for _ in range(PROBES):
            late += not await _is_synced(client)
            if late > PROBES // 2:
                return Durability.MEMORY
    except StoreUnavailable as error:
        if error.cause in {"NoPermissionError", "ResponseError", "OutOfMemoryError"}:
            return Durability.MEMORY
        raise
    return Durability.FSYNC


async def _is_synced(client: Redis) -> bool:
    """Send all on one connection: WAITAOF only covers the writes of its own connection."""

    async def probe() -> list[object]:
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.set(SHARD_COUNT + ":probe", "")
            pipeline.delete(SHARD_COUNT + ":probe")
            pipeline.execute_command("WAITAOF", 1, 0, PROBE_MS)
            return await pipeline.execute()

    *_, reached = await execute("durability", probe)
    return bool(reached[0])
