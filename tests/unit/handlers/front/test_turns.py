"""Turns of pipelined requests: one in each turn of the loop, and nobody is stopped by another."""

import asyncio

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
