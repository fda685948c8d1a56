"""Background tasks: they run until they are stopped, and the failure of one ends all."""

import asyncio

import pytest

from server.background import Background, background_tasks
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_tasks_run_until_they_are_stopped() -> None:
    ticks: list[str] = []

    async def tick(name: str) -> None:
        while True:
            ticks.append(name)
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        background = Background(group)
        for name in ("a", "b"):
            background.start(tick(name))
        await asyncio.sleep(1.5)
        await background.stop()
    assert ticks == ["a", "b", "a", "b"]


@on_virtual_time
async def test_a_task_that_loses_a_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def resist() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    async with asyncio.TaskGroup() as group:
        background = Background(group)
        background.start(resist())
        await asyncio.sleep(0)
        await background.stop()
    assert lost == 3


@on_virtual_time
async def test_a_task_that_fails_ends_the_group_with_its_error() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def serve() -> None:
        async with asyncio.TaskGroup() as group:
            Background(group).start(fail())
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        await serve()
    assert [type(each) for each in raised.value.exceptions] == [ZeroDivisionError]


@on_virtual_time
async def test_a_task_that_fails_ends_the_block_with_its_error_and_the_other_tasks() -> None:
    ended: list[str] = []

    async def fail() -> None:
        raise ZeroDivisionError

    async def go_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("the other")

    async def serve() -> None:
        async with background_tasks() as background:
            background.start(go_on())
            await asyncio.sleep(0)
            background.start(fail())
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await serve()
    assert ended == ["the other"]


@on_virtual_time
async def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    async def serve() -> None:
        async with background_tasks() as background:
            background.start(asyncio.sleep(3600))
            raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        await serve()
