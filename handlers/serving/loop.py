"""The event loop of a worker: uvloop's where it is installed, asyncio's elsewhere."""

import asyncio
from collections.abc import Coroutine


def run(main: Coroutine[None, None, None]) -> None:
    """Run a worker to its end."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(main)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
