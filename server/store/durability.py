"""Finds out whether a write was on the store's disk before its reply: this write, not any write.

`WAITAOF` alone does not tell. With `appendfsync everysec`, Valkey, and Redis before the fix in
redis/redis#13793, take an event loop round without writes for a sync, and answer 1 for a write that
is on no disk. On a busy store such a round comes at once.

So it also counts. A store that syncs before it replies (`appendfsync always`) does so at the end of
the round that ran the write, and answers `WAITAOF` in the next one. Every other answer comes a
round later or more, however busy the store or the machine is. `INFO stats` counts the rounds. All
go in one pipeline: one round trip, and `WAITAOF` covers only the writes of its own connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from server.core.receipt import Durability
from server.store.cluster_client import master_of
from server.store.connection import execute, replies_of
from server.store.information import INFO, rounds_in
from server.store.names import SHARD_COUNT, ShardNames, probe_beside

WAITAOF_MS: Final = 10
"""A store that syncs before it replies never lets anybody wait. The others are not waited for: it
would take a logout up to a second."""
FIRST_TURN: Final = 0.002
"""Seconds after which the store is asked for something else, then for twice as long each time."""
ROUNDS: Final = 1
"""How many rounds of the event loop a write that is synced before its reply takes."""
_NOT_KEPT: Final = "appendonly is disabled"


def begin_question(pipeline: Pipeline) -> None:
    """Add what must be sent right before the write. Its reply is the first of `judge`."""
    pipeline.execute_command(INFO, "stats")


def end_question(pipeline: Pipeline) -> None:
    """Add what must be sent right after the write. Its replies are the others of `judge`."""
    pipeline.execute_command("WAITAOF", 1, 0, WAITAOF_MS)
    pipeline.execute_command(INFO, "stats")


def add_probe(pipeline: Pipeline, beside: str | bytes = SHARD_COUNT) -> None:
    """Add a write that leaves nothing behind. It is on the disk only if all before it are.

    Args:
        pipeline: takes it.
        beside: a key of the shard whose master is asked.
    """
    probe = probe_beside(beside)
    pipeline.set(probe, "")
    pipeline.delete(probe)


@asynccontextmanager
async def kept_turning(client: Redis) -> AsyncIterator[None]:
    """Keep the store's event loop turning while a question is open.

    The store looks after waiting clients between two rounds, and an idle one sleeps for 100 ms.
    """
    is_answered, turning = asyncio.Event(), list[asyncio.Task[None]]()

    async def turn() -> None:
        pause = FIRST_TURN
        while not is_answered.is_set():
            await client.time()
            pause *= 2
            await _is_set_within(is_answered, pause)

    # Most answers come before that.
    loop = asyncio.get_running_loop()
    timer = loop.call_later(FIRST_TURN, lambda: turning.append(loop.create_task(turn())))
    try:
        yield
    finally:
        timer.cancel()
        is_answered.set()
        if turning:
            await asyncio.gather(*turning, return_exceptions=True)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def judge(before: object, synced: object, after: object) -> Durability | None:
    """Return what is known of a write.

    Args:
        before: the reply to `INFO stats` before the write, or the error in its place.
        synced: the reply to `WAITAOF` after it, or the error.
        after: the reply to `INFO stats` after that, or the error.

    Returns:
        None if the replies prove nothing, and asking again could.
    """
    if isinstance(synced, Exception) and _NOT_KEPT in str(synced):
        return Durability.MEMORY
    if not (isinstance(synced, list) and isinstance(before, bytes) and isinstance(after, bytes)):
        return Durability.UNKNOWN
    began, ended = rounds_in(before), rounds_in(after)
    if began is None or ended is None:
        return Durability.UNKNOWN
    if not synced[0]:
        return Durability.MEMORY
    return Durability.FSYNC if ended - began == ROUNDS else None


WEAKEST_FIRST: Final = (Durability.UNKNOWN, Durability.MEMORY, Durability.FSYNC)


async def durability_now(client: Redis, shards: int = 1) -> Durability:
    """Return how durable the store's writes are at this moment, found out by a write.

    The settings would say it too, but the right to read them also shows passwords.

    Args:
        client: the store.
        shards: how many shards it has. In a cluster, the weakest of their masters counts.

    Raises:
        StoreUnavailable: the store did not answer.
    """

    async def one_of_each_master() -> list[str]:
        epochs = [ShardNames(shard).epoch for shard in reversed(range(shards))]
        return [*{id(master_of(client, key)): key for key in epochs}.values()]

    keys = await execute("durability", one_of_each_master)
    return min([await _durability_of(client, key) for key in keys], key=WEAKEST_FIRST.index)


async def _durability_of(all_masters: Redis, beside: str) -> Durability:
    async def ask() -> list[Any]:
        client = master_of(all_masters, beside)
        async with client.pipeline(transaction=False) as pipeline:
            begin_question(pipeline)
            add_probe(pipeline, beside)
            end_question(pipeline)
            async with kept_turning(client):
                return await replies_of(pipeline)

    before, *probe, synced, after = await execute("durability", ask)
    if any(isinstance(each, Exception) for each in probe):  # as on a store that is full
        return Durability.UNKNOWN
    return judge(before, synced, after) or Durability.MEMORY
