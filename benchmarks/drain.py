"""A node with thousands of sockets stops, and another one takes them.

    python -m benchmarks.drain [sockets [rate]]

Starts two servers by `run.py` on one store, opens 8,000 sockets on one of them, and stops it with
SIGTERM. Every client comes back to the other one as a client must: at the moment that its last
frame says, and later if it is told so. Somebody asks the other server for a session fifty times a
second meanwhile. Prints how long clients were away, what it cost the server that took them, and
what of it went wrong. With a high rate it shows what the pace is for.
"""

import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.attacks.others import EVERY, Seen, somebody_else
from benchmarks.attacks.wire import Target, get
from benchmarks.crowd import CLOSE, SOURCES, TEXT, Handshake, Socket, open_all, open_one
from benchmarks.curfew import Curfew
from benchmarks.limits import flaw_of_open_files, raise_open_files
from benchmarks.people import Person
from benchmarks.processes import cpu_seconds
from benchmarks.running import NotMeasurable, valkey

SOCKETS: Final = 8_000
SOCKETS_EACH: Final = 5
RATE: Final = 200
QUIET_SECONDS: Final = 3.0
LATER: Final = 2.0
"""Seconds within which a client tries again that was told to come later."""
MOST_SECONDS: Final = 180.0


class MovingSocket(Socket):
    """A socket that keeps what its end says.

    Attributes:
        ended: done when the close frame or the end of the connection comes.
        code: of the close frame; 0 without one.
        wait: seconds after which it may come back.
    """

    __slots__ = ("code", "ended", "wait")

    def __init__(self, handshake: Handshake, opened: asyncio.Future[None]) -> None:
        super().__init__(handshake, opened)
        self.ended: asyncio.Future[None] = opened.get_loop().create_future()
        self.code, self.wait = 0, 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, also one without a close frame."""
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_result(None)

    def _frame(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == TEXT and payload.startswith(b'{"type":"drain"'):
            self.wait = json.loads(payload)["reconnect_in_ms"] / 1000
        super()._frame(opcode, payload, now)
        if opcode == CLOSE and not self.ended.done():
            self.code = int.from_bytes(payload[:2])
            self.ended.set_result(None)


@dataclass
class Moved:
    """What happened to all sockets.

    Attributes:
        codes: how often each close code came.
        away: seconds between a socket's end and its next `hello`.
        told_later: how many handshakes were answered 503.
        failed: other refusals, and how often each came.
        sockets: on the server that stays.
    """

    codes: Counter[int] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    told_later: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    sockets: list[MovingSocket] = field(default_factory=list)

    async def move(self, socket: MovingSocket, to: Handshake, source: str) -> None:
        """Come back when one socket ends."""
        await socket.ended
        lost_at = time.perf_counter()
        self.codes[socket.code] += 1
        await asyncio.sleep(socket.wait)
        while True:
            try:
                self.sockets.append(await open_one(to, source, MovingSocket))
                break
            except (NotMeasurable, OSError) as error:
                if "HTTP/1.1 503" in str(error):
                    self.told_later += 1
                else:
                    self.failed[str(error)[:60]] += 1
                await asyncio.sleep(random.uniform(0.5, 1.0) * LATER)  # noqa: S311 no secret
        self.away.append(time.perf_counter() - lost_at)


async def measure(
    leaving: Curfew, staying: Curfew, pids: tuple[list[int], list[int]], people: Sequence[Person]
) -> None:
    """Open the sockets, stop one server, and print what happened."""
    moved, quiet, during = Moved(), Seen(), Seen()
    homes = [leaving.handshake(each) for each in people for _ in range(SOCKETS_EACH)]
    sockets = await open_all(homes, MovingSocket)
    target = Target(staying.port)
    asked = get(b"/api/session", f"Cookie: {people[0].headers['Cookie']}\r\n".encode())(target)
    await somebody_else(target, asked, EVERY, QUIET_SECONDS, quiet)
    asking = asyncio.create_task(somebody_else(target, asked, EVERY, MOST_SECONDS, during))
    targets = [staying.handshake(each) for each in people for _ in range(SOCKETS_EACH)]
    spent, began = cpu_seconds(pids[1]), time.perf_counter()
    os.kill(pids[0][0], signal.SIGTERM)
    try:
        async with asyncio.timeout(MOST_SECONDS), asyncio.TaskGroup() as group:
            for number, (socket, to) in enumerate(zip(sockets, targets, strict=True)):
                group.create_task(moved.move(socket, to, SOURCES[number % len(SOURCES)]))
    except TimeoutError:
        print(f"{len(sockets) - len(moved.away)} sockets did not come back")
    taken = time.perf_counter() - began
    spent = cpu_seconds(pids[1]) - spent
    await asyncio.sleep(QUIET_SECONDS)
    asking.cancel()
    away = sorted(moved.away)
    lost = Counter(each.code for each in moved.sockets if each.ended.done())
    print(f"{len(away)} sockets came back in {taken:.1f} s")
    print(f"away, s: median {away[len(away) // 2]:.1f}, worst {away[-1]:.1f}")
    print(f"close codes: {dict(moved.codes)}")
    print(f"told to come later: {moved.told_later}; other refusals: {dict(moved.failed)}")
    print(f"CPU of the server that stays: {100 * spent / taken:.0f} % of a core")
    print(f"lost again there, by close code: {dict(lost)}")
    print("somebody's requests there, ms: median, worst, refused")
    print(f"  before    {quiet.row()}\n  meanwhile {during.row()}")
    for each in moved.sockets:
        each.abort()


def main(sockets: int = SOCKETS, rate: int = RATE) -> None:
    """Run both servers, and measure."""
    raise_open_files()
    if flaw := flaw_of_open_files(sockets):
        raise SystemExit(flaw)
    with tempfile.TemporaryDirectory(prefix="curfew-drain-") as name, ExitStack() as stack:
        folder = Path(name)
        store = stack.enter_context(valkey(folder / "store"))
        url, pace = f"redis://127.0.0.1:{store}", str(rate)
        leaving = Curfew(folder / "leaving", store_url=url, drain_rate=pace)
        leaves = stack.enter_context(leaving.running())
        keys = str(leaving.data_dir / "secret_keys")
        staying = Curfew(folder / "staying", secret_keys_file=keys, store_url=url, drain_rate=pace)
        stays = stack.enter_context(staying.running())
        people = stack.enter_context(staying.people())
        crowd = people.sign_in(sockets // SOCKETS_EACH)
        asyncio.run(measure(leaving, staying, (leaves, stays), crowd))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
