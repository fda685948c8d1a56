"""Runs asynchronous tests on virtual time, so that they never wait for real seconds."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from tests.simulation.virtual import VirtualLoop

P = ParamSpec("P")


def on_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on a loop whose clock jumps to the next timer when nothing is ready.

    An exception that no task handled fails the test.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = VirtualLoop()
        loop.run(test(*args, **kwargs))
        assert loop.failures == []

    return run


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
