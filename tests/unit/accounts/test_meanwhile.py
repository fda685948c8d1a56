"""Two steps at once: both have ended when the statement has, however they end."""

import asyncio

import pytest

from server.accounts.meanwhile import meanwhile
from tests.support.engine.virtual_time import on_virtual_time


class Work:
    """Takes a second, and notes that it has ended."""

    def __init__(self, error: Exception | None = None) -> None:
        self.ended = False
        self._error = error

    async def run(self) -> str:
        """Take a second."""
        await asyncio.sleep(1)
        self.ended = True
        if self._error:
            raise self._error
        return "found"


@on_virtual_time
async def test_both_run_at_the_same_time() -> None:
    began = asyncio.get_running_loop().time()
    async with meanwhile(Work().run()) as other:
        await asyncio.sleep(1)
        assert await other == "found"
    assert asyncio.get_running_loop().time() == pytest.approx(began + 1)


@on_virtual_time
async def test_work_that_nobody_waits_for_ends_first() -> None:
    work = Work()
    async with meanwhile(work.run()):
        pass
    assert work.ended


@on_virtual_time
async def test_a_failure_of_the_body_comes_after_the_end_of_the_work() -> None:
    work = Work(ValueError("of the work"))
    with pytest.raises(KeyError):
        async with meanwhile(work.run()):
            raise KeyError
    assert work.ended


@on_virtual_time
async def test_a_failure_of_the_work_reaches_who_awaits_it() -> None:
    with pytest.raises(ValueError, match="of the work"):
        async with meanwhile(Work(ValueError("of the work")).run()) as other:
            await other


@on_virtual_time
async def test_a_cancelled_body_does_not_cancel_the_work() -> None:
    work = Work()

    async def body() -> None:
        async with meanwhile(work.run()):
            await asyncio.Event().wait()

    task = asyncio.create_task(body())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.ended
