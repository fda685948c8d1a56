"""Workers are asked, and one that is silent keeps nobody waiting."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest

from server.telemetry import collecting
from server.telemetry.collecting import Collecting
from server.telemetry.metrics_channel import Channel, WorkerChannel


class Worker:
    """The other end of a channel.

    Attributes:
        sockets: the number that it tells.
    """

    def __init__(self, node: str) -> None:
        self.sockets = 0
        self._node = node
        self.ours, self.theirs = socket.socketpair()
        self._end: Channel | None = None

    async def begin(self) -> None:
        """Answer from now on."""
        self._end = await Channel.on(self.theirs)
        self.channel = WorkerChannel(self._end, self._take)
        self.running = asyncio.create_task(self.channel.run())

    def leave(self) -> None:
        """Close this end."""
        if self._end is not None:
            self.running.cancel()
            self._end.close()
        else:
            self.theirs.close()

    async def _take(self) -> bytes:
        samples = [("curfew_sockets_open", {"node": self._node}, self.sockets)]
        return json.dumps([("curfew_sockets_open", "Sockets.", "gauge", samples)]).encode()


@pytest.fixture
async def workers() -> AsyncIterator[list[Worker]]:
    workers = [Worker("a"), Worker("b")]
    yield workers
    for each in workers:
        each.leave()


@pytest.fixture
async def all_workers(
    workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Collecting]:
    """Asks both."""
    monkeypatch.setattr(collecting, "ANSWER_SECONDS", 0.2)
    every = Collecting()
    for place, each in enumerate(workers):
        await every.started(place, 2**30 + place, each.ours)
    yield every
    for place in range(len(workers)):
        await every.ended(place, "exit")


async def test_every_text_is_as_new_as_its_question(
    all_workers: Collecting, workers: list[Worker]
) -> None:
    for each in workers:
        await each.begin()
    for number in range(5):
        workers[0].sockets = number
        text = (await all_workers.text()).decode()
        assert f'curfew_machine_sockets_open{{node="all"}} {number}.0' in text


async def test_a_silent_worker_is_said_to_hang_and_the_others_are_told_of(
    all_workers: Collecting, workers: list[Worker]
) -> None:
    for each in workers:
        await each.begin()
        each.sockets = 4
    await all_workers.text()
    workers[1].running.cancel()
    for _ in range(5):  # questions do not pile up
        text = (await all_workers.text()).decode()
        assert 'curfew_worker_hangs{node="b",place="1"} 1.0' in text
        assert 'curfew_worker_hangs{node="a",place="0"} 0.0' in text
        assert 'curfew_machine_sockets_open{node="all"} 8.0' in text


async def test_the_last_words_of_a_worker_count(
    all_workers: Collecting, workers: list[Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "FRESH_SECONDS", 0.01)
    keeping = asyncio.create_task(all_workers.keep_fresh())
    await workers[0].begin()
    await workers[0].channel.tell()
    workers[0].leave()
    await all_workers.ended(0, "exit")
    text = (await all_workers.text()).decode()
    assert 'curfew_worker_restarts_total{node="all",why="exit"} 1.0' in text
    keeping.cancel()


@pytest.mark.usefixtures("all_workers")
async def test_a_worker_asks_for_all(workers: list[Worker]) -> None:
    for each in workers:
        await each.begin()
    text = await workers[1].channel.text_about_all()
    assert text is not None
    assert b'curfew_sockets_open{node="a"}' in text
    assert b'curfew_sockets_open{node="b"}' in text
