"""Loads of one tick share a command, and nothing else: not a failure of a caller, not a reply."""

import asyncio

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.store.batch import MAX_SESSIONS_PER_COMMAND, BatchedLoads, RawRecord
from server.store.names import ShardNames

NAMES, OTHER = ShardNames(0), ShardNames(1)


@pytest.fixture(autouse=True)
def counted_from_zero(raw: redis.Redis) -> None:
    raw.config_resetstat()


def commands(raw: redis.Redis) -> int:
    """How many MGET the server has run."""
    stats: dict[str, dict[str, int]] = raw.info("commandstats")
    return stats.get("cmdstat_mget", {"calls": 0})["calls"]


async def test_loads_of_one_tick_are_one_command_for_each_shard(
    client: Redis, raw: redis.Redis
) -> None:
    loads = BatchedLoads(client)
    for sid in ("a", "b"):
        raw.set(NAMES.session(sid), sid)
    raw.set(NAMES.tombstone("b"), "ended")
    raw.set(NAMES.epoch, "epoch")
    found = await asyncio.gather(
        loads.load(NAMES, "a"),
        loads.load(NAMES, "b"),
        loads.load(NAMES, "a"),
        loads.load(OTHER, "a"),
    )
    assert list(found) == [
        RawRecord(b"a", None, b"epoch"),
        RawRecord(b"b", b"ended", b"epoch"),
        RawRecord(b"a", None, b"epoch"),
        RawRecord(None, None, b""),
    ]
    assert commands(raw) == 2


async def test_a_load_of_a_later_tick_sees_what_was_written_since(
    client: Redis, raw: redis.Redis
) -> None:
    loads = BatchedLoads(client)
    assert await loads.load(NAMES, "a") == RawRecord(None, None, b"")
    raw.set(NAMES.session("a"), "new")
    assert (await loads.load(NAMES, "a")).value == b"new"


async def test_more_loads_than_one_command_may_carry_are_several(
    client: Redis, raw: redis.Redis
) -> None:
    loads, number = BatchedLoads(client), 2 * MAX_SESSIONS_PER_COMMAND + 1
    for sid in range(number):
        raw.set(NAMES.session(str(sid)), sid)
    found = await asyncio.gather(*(loads.load(NAMES, str(sid)) for sid in range(number)))
    assert [each.value for each in found] == [str(sid).encode() for sid in range(number)]
    assert commands(raw) == 3


async def test_a_caller_that_is_cancelled_takes_nobodys_record(
    client: Redis, raw: redis.Redis
) -> None:
    loads = BatchedLoads(client)
    raw.set(NAMES.session("a"), "a")
    impatient, patient = [asyncio.create_task(loads.load(NAMES, "a")) for _ in range(2)]
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).value == b"a"
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_failure_reaches_every_caller(gone: Redis) -> None:
    loads = BatchedLoads(gone)
    failures = await asyncio.gather(
        *(loads.load(NAMES, sid) for sid in "ab"), return_exceptions=True
    )
    assert [type(each) for each in failures] == [StoreUnavailable] * 2
    assert failures[0] is not failures[1]  # each gets a traceback of its own


@pytest.mark.parametrize("answer", [[], [b"epoch"], [b"epoch", b"a", None, b"b"], None])
async def test_an_answer_that_lacks_something_fails_those_who_wait_for_it(
    client: Redis, monkeypatch: pytest.MonkeyPatch, answer: list[bytes | None] | None
) -> None:
    async def mget(_keys: list[str]) -> list[bytes | None] | None:
        return answer

    monkeypatch.setattr(client, "mget", mget)
    loads = BatchedLoads(client)
    found = await asyncio.wait_for(
        asyncio.gather(*(loads.load(NAMES, sid) for sid in ("a", "b")), return_exceptions=True),
        timeout=5,
    )
    assert isinstance(found[1], StoreUnavailable)
    assert found[0] == RawRecord(b"a", None, b"epoch") or isinstance(found[0], StoreUnavailable)
