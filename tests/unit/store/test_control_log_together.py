"""Acknowledgements for all initiators, which are read while somebody waits for them."""

import redis
from redis.asyncio import Redis

from server.core.events import Acknowledgement
from server.store.control_log import ENTRIES_PER_READ
from tests.support.engine.streams import NAMES, log_of


def acknowledged(*end_ids: str) -> Acknowledgement:
    """What the node n2 has carried out."""
    return Acknowledgement("n2", dict.fromkeys(end_ids, 1))


async def test_acknowledgements_for_all_are_read_only_while_somebody_waits(client: Redis) -> None:
    log, other = log_of(client), log_of(client, "n2")
    await other.acknowledge_together(acknowledged("before"))
    batch = await log.read(await log.tail(), lambda: False)
    assert batch.acknowledgements == []
    await other.acknowledge_together(acknowledged("one"))
    batch = await log.read(batch.positions)
    assert batch.acknowledgements == [acknowledged("one")]
    await other.acknowledge_together(acknowledged("two"))
    batch = await log.read(batch.positions, lambda: False)
    await other.acknowledge_together(acknowledged("three"))
    assert (await log.read(batch.positions)).acknowledgements == [acknowledged("three")]


async def test_who_begins_to_wait_during_a_read_gets_what_it_left_out(client: Redis) -> None:
    log, other = log_of(client), log_of(client, "n2")
    batch = await log.read(await log.tail(), lambda: False)
    await other.acknowledge_together(acknowledged("one"))
    answers = iter([False, True])
    batch = await log.read(batch.positions, lambda: next(answers))
    assert batch.acknowledgements == []
    assert (await log.read(batch.positions)).acknowledgements == [acknowledged("one")]


async def test_who_stops_waiting_during_a_read_goes_on_at_the_end(client: Redis) -> None:
    log, other = log_of(client), log_of(client, "n2")
    batch = await log.read(await log.tail(), lambda: False)
    await other.acknowledge_together(acknowledged("one"))
    answers = iter([True, False])
    batch = await log.read(batch.positions, lambda: next(answers))
    again = await log.read(batch.positions)
    assert (again.acknowledgements, again.is_last) == ([], True)


async def test_acknowledgements_for_all_are_no_flood_and_go_on_at_once(client: Redis) -> None:
    log, other = log_of(client), log_of(client, "n2")
    positions = (await log.read(await log.tail(), lambda: False)).positions
    for number in range(ENTRIES_PER_READ + 1):
        await other.acknowledge_together(acknowledged(str(number)))
    first = await log.read(positions)
    assert (len(first.acknowledgements), first.is_last, first.has_more) == (100, True, True)
    rest = await log.read(first.positions)
    assert (len(rest.acknowledgements), rest.has_more) == (1, False)


async def test_a_stream_of_acknowledgements_that_expired_begins_anew(
    client: Redis, raw: redis.Redis
) -> None:
    log, other = log_of(client), log_of(client, "n2")
    for _ in range(2):
        await other.acknowledge_together(acknowledged("before"))
    batch = await log.read(await log.tail(), lambda: False)
    raw.delete(NAMES.acknowledgements)
    await other.acknowledge_together(acknowledged("one"))
    found = [batch := await log.read(batch.positions) for _ in range(2)]
    assert [each.acknowledgements for each in found] == [[], [acknowledged("one")]]


async def test_a_command_reads_acknowledgements_for_all_from_its_start(client: Redis) -> None:
    log, other = log_of(client, serves=False), log_of(client, "n2")
    await other.acknowledge_together(acknowledged("before"))
    positions = await log.tail()
    await other.acknowledge_together(acknowledged("one"))
    batch = await log.read(positions, lambda: False)
    assert batch.acknowledgements == [acknowledged("one")]
