"""Checks of a store before it is used."""

import asyncio
import logging
from datetime import timedelta

from redis.asyncio import Redis

from server.core.errors import ConfigurationError, StoreUnavailable
from server.store.connection import execute
from server.store.names import SHARD_COUNT

log = logging.getLogger("curfew.store")


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
    if note is not None and note != str(shards).encode():  # None: all data went just now
        there = note.decode(errors="replace")[:9]
        detail = f"CURFEW_SHARDS is {shards}, but this store was laid out for {there}. Set {there}."
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
