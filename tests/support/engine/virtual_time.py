"""Runs asynchronous tests on virtual time, so that they never wait for real seconds."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from tests.simulation.virtual import VirtualLoop

P = ParamSpec("P")


def on_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on a loop whose clock jumps to the next timer when nothing is ready.

    An exception that no task handled fails the test. Tasks that still run afterwards are cancelled.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = VirtualLoop()
        loop.run(_alone(test(*args, **kwargs)))
        assert loop.failures == []

    return run


async def _alone(test: Coroutine[Any, Any, None]) -> None:
    try:
        await test
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def virtual_loop() -> VirtualLoop:
    """Return the running loop of a test on virtual time."""
    loop: Any = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def monotonic() -> float:
    """Return the virtual time, in seconds."""
    return virtual_loop().now


def sleep_while_nothing_runs(seconds: float) -> None:
    """Let time pass while this process is paused: no timer and no task runs."""
    virtual_loop().now += seconds


async def settle() -> None:
    """Wait until what was started has run. A trip to the store and back takes 8 ms at most."""
    await asyncio.sleep(0.02)
