"""Turns: how much begins in each turn of the loop, whose it is, and what waits for how long."""

import asyncio
import weakref
from collections.abc import Callable

import pytest

from handlers.front.turns import (
    BEGIN_AT_MOST,
    BESIDE_OTHERS,
    COMPUTES,
    REMEMBERED,
    REMEMBERED_SECONDS,
    Share,
    Turns,
)
from handlers.front.under_way import UnderWay
from tests.support.running.waiting import until


class Seen(list[str]):
    """What has begun so far."""

    def note(self, name: str) -> Callable[[], None]:
        """Return work that notes its name."""
        return lambda: self.append(name)


def ask(share: Share, begin: Callable[[], None]) -> None:
    """Begin now, or wait, as a connection does."""
    if share.may_begin():
        begin()
    else:
        share.wait(begin)


async def turns_until(seen: Seen, number: int) -> int:
    """Let the loop turn until so much has begun; return how often it turned."""
    turned = 0
    while len(seen) < number:
        await asyncio.sleep(0)
        turned += 1
        assert turned < 1000
    return turned


def turns_here() -> Turns:
    """Turns of the running loop."""
    return Turns(asyncio.get_running_loop())


async def most_in_a_turn(seen: Seen, number: int) -> int:
    """Let the loop turn until so much has begun; return how much began in a turn at most."""
    most = 0
    while (before := len(seen)) < number:
        await asyncio.sleep(0)
        most = max(most, len(seen) - before)
    return most


async def test_an_address_alone_begins_much_at_once_and_the_rest_in_later_turns_in_order() -> None:
    share, seen = turns_here().share_of("192.0.2.1"), Seen()
    for number in range(3 * BEGIN_AT_MOST):
        ask(share, seen.note(str(number)))
    assert len(seen) == BEGIN_AT_MOST
    assert await most_in_a_turn(seen, 3 * BEGIN_AT_MOST) == BEGIN_AT_MOST
    assert seen == [str(number) for number in range(3 * BEGIN_AT_MOST)]


async def test_while_two_addresses_are_active_each_begins_one_in_a_turn() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    ask(other, seen.note("other"))
    for _ in range(100):
        ask(crowd, seen.note("crowd"))
    assert seen == ["other", "crowd"]
    assert await most_in_a_turn(seen, 100) == 1


async def test_the_address_of_many_clients_is_not_slowed_by_another() -> None:
    turns, seen = turns_here(), Seen()
    proxy, probe = turns.share_of("192.0.2.1", is_of_many=True), turns.share_of("198.51.100.1")
    ask(probe, seen.note("probe"))
    for _ in range(2 * BEGIN_AT_MOST):
        ask(proxy, seen.note("proxy"))
    assert await most_in_a_turn(seen, 2 * BEGIN_AT_MOST) >= BEGIN_AT_MOST
    for _ in range(2):
        ask(probe, seen.note("again"))
    assert seen.count("again") == 1, "the other one still has its part"


async def test_an_address_is_alone_again_a_while_after_the_other_was_last_seen() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    ask(other, seen.note("other"))
    for _ in range(3 * REMEMBERED):
        ask(crowd, seen.note("crowd"))
    assert await most_in_a_turn(seen, 2 * REMEMBERED) == 1, "so many turns are soon over"
    later = turns.requests.now() + REMEMBERED_SECONDS
    turns.requests.now = lambda: later
    assert await most_in_a_turn(seen, 3 * REMEMBERED) == BEGIN_AT_MOST


async def test_nobody_is_taken_for_alone_while_others_may_wait_to_be_accepted() -> None:
    turns, seen = turns_here(), Seen()
    share = turns.share_of("192.0.2.1")
    turns.expect_others()
    for _ in range(3 * BEGIN_AT_MOST):
        ask(share, seen.note("crowd"))
    assert len(seen) == 1
    assert await most_in_a_turn(seen, 3 * BEGIN_AT_MOST) == BEGIN_AT_MOST, "they did not come"


async def test_whoever_comes_later_from_elsewhere_does_not_wait_for_a_crowd() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    for _ in range(1000):
        ask(crowd, seen.note("crowd"))
    ask(other, seen.note("other"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen.index("other") <= BEGIN_AT_MOST + 1, "in the next turn"
    for _ in range(20):
        await asyncio.sleep(0)
    ask(other, seen.note("later"))
    assert seen[-1] == "later", "in a later turn"


async def test_addresses_that_wait_begin_one_after_the_other() -> None:
    turns, seen = turns_here(), Seen()
    for each in range(2 * BEGIN_AT_MOST):
        share = turns.share_of(f"192.0.2.{each}")
        for _ in range(3):
            share.wait(seen.note(str(each)))
    await turns_until(seen, 2 * BEGIN_AT_MOST)
    assert len(set(seen)) == 2 * BEGIN_AT_MOST


async def test_no_more_begins_in_a_turn_than_may_whoever_asks() -> None:
    turns, seen = turns_here(), Seen()
    for each in range(10 * BEGIN_AT_MOST):
        ask(turns.share_of(f"10.0.0.{each}"), seen.note("new"))
    assert len(seen) == BEGIN_AT_MOST
    assert await turns_until(seen, 10 * BEGIN_AT_MOST) >= 9


async def test_all_addresses_of_one_client_have_one_share() -> None:
    turns = turns_here()
    share = turns.share_of("2001:db8::1")
    assert turns.share_of("2001:db8::2") is share
    assert turns.share_of("2001:db8:0:1::1") is not share


async def test_one_request_that_was_sent_ahead_begins_in_a_turn() -> None:
    share, seen = turns_here().share_of("192.0.2.1"), Seen()
    for _ in range(100):
        share.wait(seen.note("further"), is_further=True)
    assert await most_in_a_turn(seen, 100) == 1


@pytest.mark.parametrize("others", [False, True])
async def test_who_asks_one_by_one_and_who_does_not_begin_in_turn(*, others: bool) -> None:
    turns, seen = turns_here(), Seen()
    share = turns.share_of("192.0.2.1")
    if others:
        ask(turns.share_of("198.51.100.1"), lambda: None)
    for _ in range(1000):
        share.wait(seen.note("further"), is_further=True)
    for _ in range(10):
        share.wait(seen.note("new"))
    await turns_until(seen, 21)
    assert seen.count("new") == 10
    assert seen.count("further") > 1


async def test_work_that_fails_stops_nobody_else() -> None:
    loop, share, seen = asyncio.get_running_loop(), turns_here().share_of(""), Seen()
    failures = list[object]()
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))
    share.wait(lambda: seen.append(str(1 // 0)))
    share.wait(seen.note("b"))
    await turns_until(seen, 1)
    assert seen == ["b"]
    assert len(failures) == 1


async def test_the_share_of_an_address_that_is_gone_is_forgotten() -> None:
    turns = turns_here()
    kept, gone = turns.share_of("192.0.2.1"), weakref.ref(turns.share_of("198.51.100.1"))
    assert gone() is None
    assert turns.share_of("192.0.2.1") is kept


def stop_clocks(turns: Turns) -> None:
    """Let no time pass, neither for what begins nor for what is under way."""
    turns.now = turns.requests.now = lambda: 100.0


async def waited(seen: Seen, number: int) -> None:
    """Wait until so much has begun."""

    async def has_begun() -> bool:
        return len(seen) >= number

    await until(has_begun)


async def test_while_a_request_of_others_is_under_way_one_piece_begins_and_the_rest_behind_it() -> (
    None
):
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    stop_clocks(turns)
    ask(other, seen.note("other"))
    request = UnderWay(other)
    request.begin()
    for _ in range(100):
        ask(crowd, seen.note("crowd"))
    for _ in range(1000):
        await asyncio.sleep(0)
    assert seen == ["other", "crowd"]
    request.end()
    request.end()  # which says nothing new
    await waited(seen, 101)


async def test_what_waits_for_a_request_that_takes_long_goes_on_all_the_same_only_slowly() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    stop_clocks(turns)
    UnderWay(other).begin()
    clock = [100.0]
    turns.now = lambda: clock[0]
    for _ in range(6):
        ask(crowd, seen.note("crowd"))
    for number in range(1, 6):
        await asyncio.sleep(0)
        assert len(seen) == number
        clock[0] += 1 / BESIDE_OTHERS.per_second
        await waited(seen, number + 1)


async def test_its_own_requests_and_the_clients_of_a_proxy_do_not_slow_an_address() -> None:
    turns, seen = turns_here(), Seen()
    stop_clocks(turns)
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    proxy = turns.share_of("203.0.113.1", is_of_many=True)
    UnderWay(crowd).begin()
    for _ in range(50):
        ask(crowd, seen.note("crowd"))
    await turns_until(seen, 50)
    UnderWay(other).begin()
    for _ in range(50):
        ask(proxy, seen.note("proxy"))
    await turns_until(seen, 100)


async def test_nothing_turns_while_all_that_waits_goes_slowly() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    stop_clocks(turns)
    UnderWay(other).begin()
    for _ in range(3):
        ask(crowd, seen.note("crowd"))
    for _ in range(3):
        await asyncio.sleep(0)
    number, loop = turns.number, asyncio.get_running_loop()
    began = loop.time()
    for _ in range(1000):
        await asyncio.sleep(0)
    looks = (loop.time() - began) * BESIDE_OTHERS.per_second
    assert turns.number - number <= 2 + looks


async def test_while_several_are_active_the_requests_of_an_address_begin_one_by_one() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    stop_clocks(turns)
    ask(other, seen.note("other"))
    under_way = list[UnderWay]()

    def begin() -> None:
        seen.append("crowd")
        under_way.append(UnderWay(crowd))
        under_way[-1].begin()

    for _ in range(10):
        ask(crowd, begin)
    for number in range(1, 5):
        await waited(seen, 1 + number)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(under_way) == number
        under_way[-1].end()


async def test_a_request_that_waits_for_something_makes_room_for_the_next_one() -> None:
    turns, seen = turns_here(), Seen()
    crowd, other = turns.share_of("192.0.2.1"), turns.share_of("198.51.100.1")
    stop_clocks(turns)
    clock = [100.0]
    turns.now = lambda: clock[0]
    ask(other, seen.note("other"))

    def begin() -> None:
        seen.append("crowd")
        UnderWay(crowd).begin()

    for _ in range(5):
        ask(crowd, begin)
    for number in range(1, 5):
        await waited(seen, 1 + number)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(seen) == 1 + number
        clock[0] += COMPUTES


async def test_an_address_alone_begins_many_requests_at_once() -> None:
    turns, seen = turns_here(), Seen()
    alone = turns.share_of("192.0.2.1")
    stop_clocks(turns)
    for _ in range(BEGIN_AT_MOST):
        ask(alone, seen.note("alone"))
        UnderWay(alone).begin()
    assert len(seen) == BEGIN_AT_MOST


async def test_a_proxy_and_one_client_behind_it_are_one_and_two_clients_are_several() -> None:
    turns = turns_here()
    proxy = turns.share_of("203.0.113.1", is_of_many=True)
    clients = [turns.share_of(f"192.0.2.{each}", is_behind=True) for each in (1, 2)]
    for _ in range(3):
        assert proxy.may_begin()
        assert clients[0].may_begin()
    assert not turns.has_several
    assert proxy.may_begin()
    assert clients[1].may_begin()
    assert turns.has_several
    assert not clients[1].may_begin(), "each has one in a turn"
    assert proxy.may_begin(), "the proxy has as many as it needs to read whose they are"


async def test_a_probe_beside_a_proxy_and_its_client_is_another_address() -> None:
    turns = turns_here()
    for each in (
        turns.share_of("203.0.113.1", is_of_many=True),
        turns.share_of("192.0.2.1", is_behind=True),
        turns.share_of("198.51.100.1"),
    ):
        assert each.may_begin()
    assert turns.has_several
