"""Whatever code of an application raises is a failure of it, and ends nothing else."""

import asyncio

import pytest

from server.store.contained import ApplicationFault, contained


@pytest.mark.parametrize("fault", [SystemExit("no database"), asyncio.CancelledError()])
async def test_what_would_end_more_than_itself_is_a_failure(fault: BaseException) -> None:
    with pytest.raises(ApplicationFault) as failed, contained():
        raise fault
    assert failed.value.__cause__ is fault


async def test_other_failures_are_told_as_they_are() -> None:
    with pytest.raises(LookupError, match="no such row"), contained():
        raise LookupError("no such row")


async def test_what_waits_for_it_may_cancel_it() -> None:
    over = asyncio.Event()

    async def work() -> None:
        with contained():
            await over.wait()

    waiting = asyncio.create_task(work())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_time_limit_around_it_is_a_time_limit() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.01):
            with contained():
                await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await work()
