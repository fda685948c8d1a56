"""Checks of a store before it is used."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from redis.asyncio import Redis

from server.core.cluster_map import flaw_of_single
from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.findings import (
    Finding,
    findings_of_version,
    flaw_of_kind,
    flaw_of_version,
    mode_of,
)
from server.store.cluster import nodes_told_by
from server.store.cluster_client import masters_of
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
    for each in masters_of(client):
        memory = await execute("INFO memory", partial(each.info, "memory"))
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        if int(memory.get("maxmemory", 0)) and policy != "noeviction":
            return policy
    return None


async def refuse_unfit(
    client: Redis, *, may_be_old: bool = False, may_be_part: bool = False
) -> None:
    """Refuse a server that lacks what Curfew needs, before anything is written to it.

    Args:
        client: of the server.
        may_be_old: whether it may be too old to serve sessions from.
        may_be_part: whether it may have only some of the keys, as a member of a cluster.

    Raises:
        ConfigurationError: it is no store, too old, or has not all keys.
        StoreUnavailable: the store did not answer.
    """
    told = await _told(client, "server")
    flaw = flaw_of_kind(told) or (None if may_be_old else flaw_of_version(told))
    if flaw is None and mode_of(told) == "cluster" and not may_be_part:
        flaw = await _flaw_of_member(client)
    if flaw:
        raise ConfigurationError(flaw)


async def _flaw_of_member(client: Redis) -> str | None:
    try:
        return flaw_of_single(await nodes_told_by(client))
    except StoreUnavailable as error:
        if error.cause == "ResponseError":
            return None  # each member knows the question: this is a proxy for a whole cluster
        if error.cause != "NoPermissionError":
            raise
        return flaw_of_single(())


def _does_not_tell(refused: StoreUnavailable) -> bool:
    """Return whether a server answered that it does not answer such a question, or not to us."""
    return refused.cause in {"NoPermissionError", "ResponseError"}


async def replicas_of_masters(client: Redis) -> list[int | None]:
    """Return how many replicas each master has; None for one that does not tell.

    Raises:
        StoreUnavailable: a master did not answer.
    """
    told = [await _told(each, "replication") for each in masters_of(client)]
    return [each.get("connected_slaves") for each in told]


async def version_findings(client: Redis) -> list[Finding]:
    """Return what is wrong with the store's version; nothing if it does not tell.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    told = [await _told(each, "server") for each in masters_of(client)]
    found = [each for server in told for each in findings_of_version(server)]
    return list({str(each): each for each in found}.values())


async def _told(client: Redis, section: str) -> Mapping[str, Any]:
    """Return a section of what a server says of itself; nothing if it does not tell."""
    try:
        told: Mapping[str, Any] = await execute(f"INFO {section}", partial(client.info, section))
    except StoreUnavailable as error:
        if not _does_not_tell(error):
            raise
        return {}
    return told


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
        if not _does_not_tell(error):
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
