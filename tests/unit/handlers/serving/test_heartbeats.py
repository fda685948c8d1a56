"""Heartbeats come from the event loop: from its start, every second, and not while it is stuck."""

import asyncio
import time

import pytest

from handlers.serving.heartbeats import heartbeats


@pytest.fixture(autouse=True)
def interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hearts beat fast."""
    monkeypatch.setattr("handlers.serving.heartbeats.BEAT_SECONDS", 0.01)


async def test_the_heart_beats_until_the_end() -> None:
    beats: list[float] = []
    several = asyncio.Event()

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 3:
            several.set()

    async with heartbeats(beat):
        await asyncio.wait_for(several.wait(), 10)
    number = len(beats)
    await asyncio.sleep(0.05)
    assert len(beats) == number


async def test_a_loop_that_is_stuck_shows_none() -> None:
    beats: list[float] = []
    async with heartbeats(lambda: beats.append(0)):
        await asyncio.sleep(0.02)
        before = len(beats)
        time.sleep(0.1)  # noqa: ASYNC251 this is what is tested
        assert len(beats) == before
