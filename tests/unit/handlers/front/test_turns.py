"""Turns of pipelined requests, and deadlines that are put off."""

import asyncio

from handlers.front.deadline import Deadline
from handlers.front.turns import Turns


async def test_one_has_its_turn_in_each_turn_of_the_loop_in_order() -> None:
    loop, seen = asyncio.get_running_loop(), list[str]()
    turns = Turns(loop)
    for name in "abc":
        turns.wait(lambda name=name: seen.append(name))  # type: ignore[misc]
    for expected in ("", "a", "ab", "abc", "abc"):
        assert "".join(seen) == expected
        await asyncio.sleep(0)
    turns.wait(lambda: turns.wait(lambda: seen.append("e")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen[-1] == "e"


async def test_a_turn_that_fails_stops_nobody_else() -> None:
    loop, seen = asyncio.get_running_loop(), list[int]()
    failures = list[object]()
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))
    turns = Turns(loop)
    turns.wait(lambda: seen.append(1 // 0))
    turns.wait(lambda: seen.append(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen == [2]
    assert len(failures) == 1


async def test_a_deadline_calls_once_and_when_it_was_put_last() -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()
    deadline = Deadline(loop, called.set)
    began = loop.time()
    deadline.set(began + 0.02)
    deadline.set(began + 60.0)
    deadline.set(began + 0.1)
    await asyncio.wait_for(called.wait(), 5)
    assert loop.time() - began > 0.09
    called.clear()
    deadline.set(loop.time() + 0.02)
    deadline.clear()
    await asyncio.sleep(0.05)
    assert not called.is_set()
    deadline.set(loop.time() + 0.02)
    await asyncio.wait_for(called.wait(), 5)
    called.clear()
    deadline.set(loop.time() + 0.01)
    deadline.cancel()
    await asyncio.sleep(0.03)
    assert not called.is_set()
