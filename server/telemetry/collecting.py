"""Asks all workers of a machine for what they count."""

import asyncio
import socket
from contextlib import suppress
from typing import Final

from server.telemetry.exposition import processes_of, text_of
from server.telemetry.machine import Machine
from server.telemetry.metrics_channel import Channel, ChannelClosed, Kind
from server.telemetry.rounds import Rounds
from server.telemetry.snapshots import Family, read_snapshot

ANSWER_SECONDS: Final = 1.0
"""How long a worker may take. One that takes longer is told of as hanging."""
FRESH_SECONDS: Final = 2.0
"""The time between two questions while nobody scrapes. So the latest numbers of a worker that
hangs or dies are not older."""
UNANSWERED: Final = 3
"""Questions that wait in a worker that hangs; no more are sent."""


class _Asked:
    """The parent's end of a worker's channel."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.reading: asyncio.Task[None] | None = None
        self._sent = self._received = 0
        self._more = asyncio.Condition()

    def ask(self) -> int:
        """Ask the worker; return which answer will have begun after this call."""
        if self._sent - self._received < UNANSWERED:
            self._sent += 1
            self.channel.send(Kind.ASK_SNAPSHOT)
        return self._sent

    async def answered(self) -> None:
        """Note an answer."""
        async with self._more:
            self._received += 1
            self._more.notify_all()

    async def has_answered(self, number: int) -> None:
        """Wait for an answer."""
        async with self._more:
            await self._more.wait_for(lambda: self._received >= number)


class Collecting:
    """The workers' numbers, and the text about them. Use it in one event loop."""

    def __init__(self) -> None:
        self._machine = Machine(processes_of)
        self._asked: dict[int, _Asked] = {}
        self._rounds: Rounds[list[Family]] = Rounds(self._collect)
        self._answers: set[asyncio.Task[None]] = set()

    async def started(self, place: int, pid: int, end: socket.socket) -> None:
        """Ask a worker from now on.

        Args:
            place: which worker.
            pid: its process.
            end: connected with it.
        """
        asked = _Asked(await Channel.on(end))
        self._machine.started(place, pid)
        self._asked[place] = asked
        asked.reading = asyncio.create_task(self._read(place, asked))

    async def ended(self, place: int, why: str) -> None:
        """Keep what a worker counted: its last numbers may still be on their way here."""
        asked = self._asked.pop(place, None)
        if asked is not None and asked.reading is not None:
            await asyncio.wait([asked.reading], timeout=ANSWER_SECONDS)
            asked.reading.cancel()
            asked.channel.close()
        self._machine.gone(place, why)

    async def text(self, asking: int | None = None) -> bytes:
        """Return the metrics of all processes, as they are from now on.

        Args:
            asking: the place of the worker that passes the question on. Its own numbers come first:
                before, a worker told of nothing else.
        """
        families = await self._rounds.fresh()
        return text_of(families if asking is None else self._machine.begin_with(asking, families))

    async def keep_fresh(self) -> None:
        """Ask now and then, until cancelled."""
        while True:
            await asyncio.sleep(FRESH_SECONDS)
            await self._ask_all()

    async def _collect(self) -> list[Family]:
        return self._machine.families(await self._ask_all())

    async def _ask_all(self) -> list[int]:
        """Ask all workers; return the places of those that do not answer in time."""
        waits = {
            place: asyncio.create_task(asked.has_answered(asked.ask()))
            for place, asked in self._asked.items()
        }
        if not waits:
            return []
        await asyncio.wait(waits.values(), timeout=ANSWER_SECONDS)
        silent = [place for place, wait in waits.items() if not wait.done()]
        for place in silent:
            waits[place].cancel()
        return silent

    async def _read(self, place: int, asked: _Asked) -> None:
        with suppress(ChannelClosed):
            while True:
                kind, content = await asked.channel.receive()
                if kind is Kind.SNAPSHOT:
                    self._machine.told(place, read_snapshot(content))
                    await asked.answered()
                elif kind is Kind.ASK_TEXT:
                    answer = asyncio.create_task(self._answer(place, asked.channel))
                    self._answers.add(answer)
                    answer.add_done_callback(self._answers.discard)

    async def _answer(self, place: int, channel: Channel) -> None:
        channel.send(Kind.TEXT, await self.text(place))
