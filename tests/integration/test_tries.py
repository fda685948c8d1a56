"""Tries counted by two nodes at once, and what they leave in the store."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from server.accounts.throttle import PLACES_PER_ADDRESS, Throttle
from server.core.errors import StoreUnavailable
from server.core.throttling import (
    Counted,
    CounterKind,
    Throttled,
    code_tally,
    proof_tally,
    sign_in_tally,
    sign_up_tally,
)
from server.crypto.passwords import HasherBusy
from server.store.names import ShardNames
from server.store.scripts import Scripts
from server.store.try_counters import TryCounters
from tests.support.engine.quiet import quiet_context
from tests.support.engine.store_client import open_store_client
from tests.support.servers.stores import Store

KEY = bytes(range(32))
DAY_MS = 24 * 3600 * 1000
_ids = map(str, itertools.count())


@pytest.fixture
async def nodes(store_url: str) -> AsyncIterator[list[TryCounters]]:
    """Two, each with connections of its own."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(open_store_client(store_url)) for _ in range(2)]
        yield [TryCounters(Scripts(each), KEY, time.time) for each in clients]


def addresses(number: int) -> list[str]:
    """So many different ones."""
    return [f"198.51.{number // 250}.{number % 250}" for number in range(number)]


async def admitted(
    nodes: list[TryCounters], names: list[str], places: list[str]
) -> Counter[CounterKind | None]:
    """How many of these tries, all at once, pass, and how many each counter refuses."""
    connections = asyncio.Semaphore(100)

    async def ask(node: TryCounters, name: str, place: str) -> Counted | Throttled:
        async with connections:
            return await node.count(sign_in_tally(name, place), operation=next(_ids))

    asked = zip(itertools.cycle(nodes), names, places, strict=False)
    answers = await asyncio.gather(*(ask(*each) for each in asked))
    return Counter(each.by if isinstance(each, Throttled) else None for each in answers)


@pytest.mark.proves("A59", "A61")
async def test_of_200_guesses_at_one_moment_no_more_pass_than_one_after_the_other(
    nodes: list[TryCounters],
) -> None:
    passed = await admitted(nodes, ["ann"] * 200, addresses(200))
    assert passed == {None: 10, CounterKind.ACCOUNT: 190}


@pytest.mark.proves("A60")
async def test_one_address_tries_20_accounts_at_one_moment(nodes: list[TryCounters]) -> None:
    passed = await admitted(nodes, [f"user-{n}" for n in range(200)], ["192.0.2.1"] * 200)
    assert passed == {None: 20, CounterKind.ADDRESS: 180}


@pytest.mark.proves("A60")
async def test_the_addresses_of_one_ipv6_customer_are_one(nodes: list[TryCounters]) -> None:
    places = [f"2001:db8:1:2::{n:x}" for n in range(50)]
    passed = await admitted(nodes, [f"user-{n}" for n in range(50)], places)
    assert passed == {None: 20, CounterKind.ADDRESS: 30}


@pytest.mark.proves("A61")
async def test_a_thousand_addresses_try_300_accounts_at_one_moment(
    nodes: list[TryCounters],
) -> None:
    started = time.monotonic()
    passed = await admitted(nodes, [f"user-{n}" for n in range(1000)], addresses(1000))
    assert set(passed) == {None, CounterKind.EVERYBODY}
    assert 300 <= passed[None] <= 300 + (time.monotonic() - started)


@pytest.mark.proves("A62")
async def test_a_familiar_place_is_let_in_while_all_the_world_guesses(
    nodes: list[TryCounters],
) -> None:
    home = sign_in_tally("ann", "192.0.2.1")
    counted = await nodes[0].count(home, operation="first")
    assert isinstance(counted, Counted)
    await nodes[0].record_success(home, counted, operation="first")
    await admitted(nodes, ["ann"] * 200, addresses(200))
    await admitted(nodes, [f"user-{n}" for n in range(500)], addresses(500))
    again = await nodes[1].count(home, operation="again")
    assert again == Counted((home.familiar,) if home.familiar else ())
    elsewhere = await nodes[1].count(sign_in_tally("ann", "192.0.2.2"), operation="elsewhere")
    assert isinstance(elsewhere, Throttled)


async def test_a_try_whose_reply_was_lost_is_counted_once(nodes: list[TryCounters]) -> None:
    tally = sign_in_tally("ann", "192.0.2.1")
    for _ in range(30):
        assert isinstance(await nodes[0].count(tally, operation="lost"), Counted)
    assert (await admitted(nodes, ["ann"] * 10, addresses(10)))[None] == 9


async def test_a_try_is_taken_back_once(nodes: list[TryCounters]) -> None:
    assert (await admitted(nodes, ["ann"] * 9, addresses(9)))[None] == 9
    counted = await nodes[0].count(sign_in_tally("ann", "192.0.2.1"), operation="back")
    assert isinstance(counted, Counted)
    for _ in range(5):
        await nodes[0].withdraw(counted, operation="back")
    assert (await admitted(nodes, ["ann"] * 9, addresses(9)))[None] == 1


async def test_a_try_that_is_taken_back_leaves_the_wait_as_it_was(store_url: str) -> None:
    now, tally = 1_800_000_000.0, sign_in_tally("ann", "192.0.2.1")
    async with open_store_client(store_url) as client:
        counters = TryCounters(Scripts(client), KEY, lambda: now)
        for _ in range(10):
            await counters.count(tally, operation=next(_ids))
        now += 1
        await counters.count(tally, operation="eleventh")  # the next waits for 2 s
        now += 2
        counted = await counters.count(tally, operation="back")
        assert isinstance(counted, Counted)
        await counters.withdraw(counted, operation="back")
        assert isinstance(await counters.count(tally, operation="at-once"), Counted)
        await counters.withdraw(counted, operation="back")  # another came after it
        assert isinstance(await counters.count(tally, operation="too-soon"), Throttled)


async def test_codes_at_home_count_nowhere_and_can_be_taken_back(
    nodes: list[TryCounters],
) -> None:
    home = code_tally("ann", "192.0.2.1")
    await nodes[0].record_success(home, Counted(home.others), operation=next(_ids))
    for _ in range(30):
        operation = next(_ids)
        counted = await nodes[1].count(home, operation=operation)
        assert isinstance(counted, Counted)
        await nodes[0].withdraw(counted, operation=operation)


@pytest.mark.proves("A66", "15.2.2")
async def test_one_address_fills_a_part_of_the_hashing_queue_only(
    nodes: list[TryCounters],
) -> None:
    throttle = Throttle(nodes[0], quiet_context())
    async with AsyncExitStack() as stack:
        for number in range(PLACES_PER_ADDRESS):
            await stack.enter_async_context(throttle.sign_in(f"u-{number}", "2001:db8::1"))
        with pytest.raises(HasherBusy):
            await stack.enter_async_context(throttle.sign_up("2001:db8::2"))
        await stack.enter_async_context(throttle.sign_in("ann", "192.0.2.1"))
    async with throttle.sign_up("2001:db8::2"):
        pass
    assert not throttle._busy


async def test_a_store_that_does_not_answer_lets_nobody_try(
    nodes: list[TryCounters], valkey: Store
) -> None:
    tally = sign_in_tally("ann", "192.0.2.1")
    with valkey.client() as raw:
        raw.config_set("maxmemory", "1")
        try:
            with pytest.raises(StoreUnavailable):
                await nodes[0].count(tally, operation="full")
        finally:
            raw.config_set("maxmemory", "0")


async def test_what_is_left_in_the_store_goes_by_itself_and_shows_nothing_typed(
    nodes: list[TryCounters], valkey: Store
) -> None:
    typed = ["ann", "my password in the wrong field", "\ud800", "\0\n "]
    tallies = [sign_in_tally(name, "192.0.2.1") for name in typed]
    for tally in [*tallies, proof_tally("ann", "some-sid"), sign_up_tally("192.0.2.1")]:
        assert isinstance(await nodes[0].count(tally, operation=next(_ids)), Counted)
    await nodes[0].record_success(tallies[0], Counted(tallies[0].others), operation=next(_ids))
    await nodes[0].count(tallies[0], operation="at-home")
    with valkey.client() as raw:
        keys = {key.decode(): raw.pttl(key) for key in raw.scan_iter("*")}
        values = b" ".join(raw.get(key) or b"" for key in keys)
    kept = {key.removeprefix(ShardNames(0).prefix).rpartition(":")[0] for key in keys}
    assert kept == {"familiar", *(f"tries:{kind}" for kind in CounterKind)}
    days = {key: 30 if "}:familiar:" in key else 1 for key in keys}
    assert all(0 < left <= days[key] * DAY_MS for key, left in keys.items())
    text = " ".join(keys) + values.decode()
    assert not any(each in text for each in (*typed, "192.0.2", "some-sid"))
