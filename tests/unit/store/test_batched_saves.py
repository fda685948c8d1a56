"""Saves of one tick share a command, and nothing else: not a refusal, not a broken key."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreMoved, StoreUnavailable
from server.store.batched_saves import (
    MAX_BYTES_PER_COMMAND,
    MAX_SAVES_PER_COMMAND,
    BatchedSaves,
    RecordWrite,
)
from server.store.names import ShardNames
from server.store.scripts import Scripts

NAMES, OTHER = ShardNames(0), ShardNames(1)
INDEX_TTL_MS, TTL_MS = 10_000_000, 1_000_000
ENTRY = ("kind", "told")


@pytest.fixture
def saves(scripts: Scripts, raw: redis.Redis) -> BatchedSaves:
    raw.config_resetstat()
    return BatchedSaves(scripts, INDEX_TTL_MS)


def commands(raw: redis.Redis) -> int:
    """How many scripts the server was told to run and knew."""
    stats: dict[str, dict[str, int]] = raw.info("commandstats")
    ran = stats.get("cmdstat_evalsha", {"calls": 0, "failed_calls": 0})
    return ran["calls"] - ran["failed_calls"]


def exists(raw: redis.Redis, sid: str, names: ShardNames = NAMES, value: bytes = b"") -> None:
    """Put a record of revision 1 in the store."""
    raw.set(names.session(sid), b"1 before \n" + value)


def write(
    sid: str,
    names: ShardNames = NAMES,
    entry: Sequence[str] = (),
    value: bytes = b"box",
    at: int = 1,
) -> RecordWrite:
    """A save of revision 2 by the operation `o-<sid>`."""
    keys = (names.session(sid), names.tombstone(sid), names.index(f"user-{sid}"))
    operation, record = f"o-{sid}", f"2 o-{sid} \n".encode() + value
    args: tuple[Any, ...] = (operation, at, record, TTL_MS, 123.5, sid, len(entry), *entry)
    return RecordWrite(keys, args, len(record))


async def test_saves_of_one_tick_are_one_command_for_each_shard(
    saves: BatchedSaves, raw: redis.Redis
) -> None:
    exists(raw, "warm")
    await saves.save(NAMES, write("warm"))  # the server has the script from here on
    before = commands(raw)
    for sid in ("a", "b"):
        exists(raw, sid)
    exists(raw, "c", OTHER)
    replies: Any = await asyncio.gather(
        saves.save(NAMES, write("a", entry=ENTRY)),
        saves.save(NAMES, write("b")),
        saves.save(OTHER, write("c", OTHER)),
    )
    assert list(replies) == [[b"saved"]] * 3
    assert commands(raw) - before == 2
    assert raw.get(NAMES.session("a")) == b"2 o-a \nbox"
    assert raw.get(NAMES.session("b")) == b"2 o-b \nbox"
    assert raw.get(OTHER.session("c")) == b"2 o-c \nbox"
    entries: Any = raw.xrange(NAMES.control)
    assert [fields for _, fields in entries] == [{b"kind": b"told"}]


async def test_each_save_is_decided_for_itself(saves: BatchedSaves, raw: redis.Redis) -> None:
    for sid in ("good", "late", "dead"):
        exists(raw, sid)
    raw.set(NAMES.tombstone("dead"), "e logout 1.0")
    replies: Any = await asyncio.gather(
        saves.save(NAMES, write("late", at=7)),
        saves.save(NAMES, write("none")),
        saves.save(NAMES, write("dead", entry=ENTRY)),
        saves.save(NAMES, write("good", entry=ENTRY)),
    )
    assert list(replies) == [[b"conflict"], [b"missing"], [b"ended", b"e logout 1.0"], [b"saved"]]
    assert raw.xlen(NAMES.control) == 1


async def test_of_two_saves_of_one_record_in_a_tick_the_first_wins(
    saves: BatchedSaves, raw: redis.Redis
) -> None:
    exists(raw, "a")
    second = write("a")
    second = RecordWrite(second.keys, ("o2", *second.args[1:]), second.size)
    first, other = await asyncio.gather(saves.save(NAMES, write("a")), saves.save(NAMES, second))
    assert (first, other) == ([b"saved"], [b"conflict"])


async def test_a_key_that_is_none_of_ours_fails_its_own_save_only(
    saves: BatchedSaves, raw: redis.Redis
) -> None:
    for sid in ("good", "bad", "fine"):
        exists(raw, sid)
    raw.set(NAMES.index("user-bad"), "no sorted set")
    replies: Any = await asyncio.gather(
        *(saves.save(NAMES, write(sid)) for sid in ("good", "bad", "fine")),
        return_exceptions=True,
    )
    assert [replies[0], replies[2]] == [[b"saved"]] * 2
    assert isinstance(replies[1], StoreUnavailable)


async def test_a_store_that_refuses_all_writes_says_so_to_every_writer(
    saves: BatchedSaves, raw: redis.Redis
) -> None:
    for sid in ("a", "b"):
        exists(raw, sid)
    raw.config_set("min-replicas-to-write", 1)
    try:
        replies: Any = await asyncio.gather(
            *(saves.save(NAMES, write(sid)) for sid in ("a", "b")), return_exceptions=True
        )
    finally:
        raw.config_set("min-replicas-to-write", 0)
    assert [type(each) for each in replies] == [StoreMoved] * 2
    assert replies[0] is not replies[1]
    assert raw.get(NAMES.session("a")) == b"1 before \n"


async def test_a_caller_who_leaves_disturbs_no_other(saves: BatchedSaves, raw: redis.Redis) -> None:
    for sid in ("a", "b"):
        exists(raw, sid)
    leaving = asyncio.ensure_future(saves.save(NAMES, write("a")))
    staying = asyncio.ensure_future(saves.save(NAMES, write("b")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == [b"saved"]
    assert leaving.cancelled()


@pytest.mark.parametrize(
    ("count", "value", "parts"),
    [
        (MAX_SAVES_PER_COMMAND, b"", 1),
        (MAX_SAVES_PER_COMMAND + 1, b"", 2),
        (3, b"x" * (MAX_BYTES_PER_COMMAND // 2), 3),
        (2, b"x" * MAX_BYTES_PER_COMMAND, 2),
    ],
)
async def test_a_command_carries_a_bounded_number_of_records_and_bytes(
    saves: BatchedSaves, raw: redis.Redis, count: int, value: bytes, parts: int
) -> None:
    exists(raw, "warm")
    await saves.save(NAMES, write("warm"))
    before = commands(raw)
    for number in range(count):
        exists(raw, str(number))
    replies: Any = await asyncio.gather(
        *(saves.save(NAMES, write(str(number), value=value)) for number in range(count))
    )
    assert list(replies) == [[b"saved"]] * count
    assert commands(raw) - before == parts


async def test_an_index_stays_as_long_as_what_it_lists(
    saves: BatchedSaves, raw: redis.Redis
) -> None:
    index = NAMES.index("user-a")
    exists(raw, "a")
    await saves.save(NAMES, write("a"))
    assert TTL_MS < raw.pttl(index) <= INDEX_TTL_MS
    for ttl_ms, is_renewed in ((TTL_MS // 2, True), (TTL_MS + 60_000, False)):
        exists(raw, "a")
        raw.pexpire(index, ttl_ms)
        await saves.save(NAMES, write("a"))
        assert (raw.pttl(index) > 2 * TTL_MS) is is_renewed
        assert raw.pttl(index) >= raw.pttl(NAMES.session("a"))


@pytest.mark.parametrize("answer", ["return {{'saved'}}", "return 7", "return {}"])
async def test_an_answer_that_lacks_something_fails_those_who_wait_for_it(
    saves: BatchedSaves, scripts: Scripts, client: Redis, answer: str
) -> None:
    scripts._scripts["save"] = client.register_script(answer)
    replies: Any = await asyncio.wait_for(
        asyncio.gather(
            *(saves.save(NAMES, write(sid)) for sid in ("a", "b")), return_exceptions=True
        ),
        timeout=5,
    )
    assert isinstance(replies[1], StoreUnavailable)
    assert replies[0] == [b"saved"] or isinstance(replies[0], StoreUnavailable)
