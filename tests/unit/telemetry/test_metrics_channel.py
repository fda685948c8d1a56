"""Parent and worker tell each other metrics, and neither waits for the other for ever."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from server.telemetry import metrics_channel
from server.telemetry.metrics_channel import Channel, ChannelClosed, Kind, WorkerChannel


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Channel, Channel]]:
    """The parent's end, and the worker's."""
    ours, theirs = [await Channel.on(each) for each in socket.socketpair()]
    yield ours, theirs
    ours.close()
    theirs.close()


async def snapshot() -> bytes:
    """Something that a worker tells."""
    return b"[]"


async def test_a_worker_answers_every_question(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    running = asyncio.create_task(WorkerChannel(theirs, snapshot).run())
    for _ in range(2):
        ours.send(Kind.ASK_SNAPSHOT)
    assert [await ours.receive() for _ in range(2)] == [(Kind.SNAPSHOT, b"[]")] * 2
    running.cancel()


async def test_a_worker_gets_the_text_about_all(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    worker = WorkerChannel(theirs, snapshot)
    running = asyncio.create_task(worker.run())
    asked = asyncio.create_task(worker.text_about_all())
    assert await ours.receive() == (Kind.ASK_TEXT, b"")
    ours.send(Kind.TEXT, b"x" * 1_000_000)
    assert await asked == b"x" * 1_000_000
    ours.send(Kind.TEXT, b"too late")  # nobody waits for it any more
    ours.close()
    await running


async def test_a_parent_that_says_nothing_is_not_waited_for(
    ends: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_channel, "TEXT_SECONDS", 0.01)
    assert await WorkerChannel(ends[1], snapshot).text_about_all() is None


@pytest.mark.parametrize("sent", [b"", b"\2\0", b"\x63\0\0\0\0", b"\2\xff\xff\xff\xff"])
async def test_what_is_no_message_closes_the_channel(sent: bytes) -> None:
    one, other = socket.socketpair()
    channel = await Channel.on(one)
    other.sendall(sent)
    other.close()
    with pytest.raises(ChannelClosed):
        await channel.receive()
    channel.close()
