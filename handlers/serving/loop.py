"""The event loop of a worker: uvloop's where it is installed, asyncio's elsewhere."""

import asyncio
from collections.abc import Coroutine

try:
    from uvloop import new_event_loop
except ImportError:  # on Windows
    from asyncio import new_event_loop


def run(main: Coroutine[None, None, None]) -> None:
    """Run a worker to its end."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)
