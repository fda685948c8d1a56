"""Deadlines that are put off, met once, and forgotten."""

import asyncio

from handlers.front.deadline import Deadline


def soon(seconds: float) -> float:
    """Return a time of the loop's clock that comes in so many seconds."""
    return asyncio.get_running_loop().time() + seconds


async def reached(at: float) -> None:
    """Wait until the loop's clock has reached a time, and what is due by then has been called."""
    loop, is_over = asyncio.get_running_loop(), asyncio.Event()
    loop.call_at(at, is_over.set)
    await is_over.wait()


async def test_a_deadline_calls_once() -> None:
    calls = list[int]()
    deadline = Deadline(asyncio.get_running_loop(), lambda: calls.append(1))
    deadline.set(soon(0.01))
    await reached(soon(0.05))
    assert calls == [1]


async def test_a_deadline_calls_when_it_was_put_last() -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()
    deadline = Deadline(loop, called.set)
    last = soon(0.1)
    for at in (soon(0.02), soon(60.0), last):
        deadline.set(at)
    async with asyncio.timeout(5):
        await called.wait()
    assert loop.time() >= last - 0.01


async def test_a_deadline_may_be_put_earlier() -> None:
    called = asyncio.Event()
    deadline = Deadline(asyncio.get_running_loop(), called.set)
    deadline.set(soon(60.0))
    deadline.set(soon(0.01))
    async with asyncio.timeout(5):
        await called.wait()


async def test_putting_it_off_costs_no_timer() -> None:
    deadline = Deadline(asyncio.get_running_loop(), lambda: None)
    deadline.set(soon(30.0))
    timer = deadline._timer
    deadline.set(soon(60.0))
    assert deadline._timer is timer
    deadline.cancel()


async def test_a_cleared_deadline_calls_only_if_it_is_set_again() -> None:
    called = asyncio.Event()
    deadline = Deadline(asyncio.get_running_loop(), called.set)
    deadline.set(soon(0.01))
    deadline.clear()
    await reached(soon(0.03))
    assert not called.is_set()
    deadline.set(soon(0.01))
    async with asyncio.timeout(5):
        await called.wait()


async def test_a_cancelled_deadline_calls_nobody_any_more() -> None:
    called = asyncio.Event()
    deadline = Deadline(asyncio.get_running_loop(), called.set)
    deadline.set(soon(0.01))
    deadline.cancel()
    deadline.set(soon(0.01))
    await reached(soon(0.03))
    assert not called.is_set()


def test_what_is_due_by_its_timer_is_due_though_the_loop_calls_a_tick_early() -> None:
    loop = asyncio.SelectorEventLoop()
    loop._clock_resolution = 0.2  # type: ignore[attr-defined] # as coarse as no clock of ours is
    called_at = list[float]()

    def call() -> None:
        called_at.append(loop.time())
        loop.stop()

    at = loop.time() + 0.15
    Deadline(loop, call).set(at)
    loop.call_soon(lambda: None)  # so that the loop looks at its timers without a wait
    loop.run_forever()
    loop.close()
    assert called_at[0] < at
