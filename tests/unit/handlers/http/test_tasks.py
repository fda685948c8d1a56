"""An application's tasks: each failure is seen, and they are cancelled in order."""

import asyncio
import logging

import pytest

from handlers.http import tasks as module
from handlers.http.tasks import Tasks


async def test_a_failure_is_logged_counted_and_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed, turns = list[str](), 0
    done = asyncio.Event()
    tasks = Tasks(failed.append, first_pause=0.001)

    async def work() -> None:
        nonlocal turns
        turns += 1
        if turns < 3:
            raise RuntimeError("the disk is full")
        done.set()

    tasks.keep(work, "digest")
    await asyncio.wait_for(done.wait(), 5)
    await tasks.stop()
    assert failed == ["digest", "digest"]
    assert "the task digest failed" in caplog.text
    assert "the disk is full" in caplog.text


async def test_what_a_handler_started_is_told_of_too(caplog: pytest.LogCaptureFixture) -> None:
    failed = list[str]()
    tasks = Tasks(failed.append)

    async def work() -> None:
        raise LookupError("no such mail")

    await asyncio.wait([tasks.start(work(), "mail")])
    await asyncio.sleep(0)
    assert failed == ["mail"]
    assert "no such mail" in caplog.text


@pytest.mark.parametrize("fault", [SystemExit(0), asyncio.CancelledError()])
async def test_one_that_wants_to_end_the_process_or_was_cancelled_by_itself_has_failed(
    fault: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    failed, turns = list[str](), 0
    done = asyncio.Event()
    tasks = Tasks(failed.append, first_pause=0.001)

    async def work() -> None:
        nonlocal turns
        turns += 1
        if turns < 3:
            raise fault
        done.set()

    tasks.keep(work, "digest")
    await asyncio.wait_for(done.wait(), 5)
    turns = 0
    await asyncio.wait([tasks.start(work(), "mail")])
    await asyncio.sleep(0)
    assert failed == ["digest", "digest", "mail"]
    assert "the task mail failed" in caplog.text


async def test_one_that_is_cancelled_before_it_begins_leaves_nothing() -> None:
    tasks = Tasks()

    async def work() -> None:
        raise AssertionError("it began")

    tasks.start(work(), "early")
    await tasks.stop()


async def test_they_are_cancelled_one_after_another_the_last_first() -> None:
    ends = list[str]()
    tasks = Tasks()

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ends.append(name)

    for name in ("one", "two", "three"):
        tasks.start(work(name), name)
    await asyncio.sleep(0)
    await tasks.stop()
    assert ends == ["three", "two", "one"]
    with pytest.raises(RuntimeError, match="late"):
        tasks.start(work("late"), "late")


async def test_one_that_ignores_it_is_named_and_left(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.02)
    monkeypatch.setattr(module, "RUSHED_SECONDS", 0.02)
    over = asyncio.Event()

    async def stubborn() -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    tasks = Tasks()
    task = tasks.start(stubborn(), "stubborn")
    await asyncio.sleep(0)
    with caplog.at_level(logging.ERROR):
        await tasks.stop()
    assert "the task stubborn ignores that it was cancelled" in caplog.text
    over.set()
    await task


async def test_many_that_end_slowly_have_one_time_together_and_all_are_cancelled(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.02)
    cancelled = list[int]()

    async def slow(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(number)
            await asyncio.sleep(0.05)

    tasks = Tasks()
    for number in range(100):
        tasks.start(slow(number), "mail")
    await asyncio.sleep(0)
    async with asyncio.timeout(1.0):  # one after another would be five seconds
        await tasks.stop()
    assert sorted(cancelled) == list(range(100))
    assert caplog.text == ""
