"""Two steps of one act at the same time, where neither needs what the other finds out."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

_T = TypeVar("_T")


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, _T]) -> AsyncIterator[asyncio.Task[_T]]:
    """Run `work` beside the body of the `async with` statement, which may await its result.

    The statement ends only after `work` has. To cancel it would close its connection to the store.
    If the body does not await it, its error is nobody's.
    """
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        while not task.done():
            await asyncio.wait([task])
        _ = task.cancelled() or task.exception()  # asyncio reports an error that nobody looked at
