"""Logouts: from the POST to the last close frame, on two processes among thousands of sockets."""

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import programs
from benchmarks.client import LENGTH
from benchmarks.crowd import Handshake, Socket, cut, last_close, open_sockets
from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, percentile, ratios
from benchmarks.limits import flaw_of_open_files
from benchmarks.load import request
from benchmarks.people import Person
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import NotMeasurable, valkey

CURFEW: Final = "Curfew"
DISK: Final = "fdatasync"
IN_MEMORY: Final = "Curfew on a store in memory"
SOCKETS_EACH: Final = 5
PAUSE: Final = 0.02
"""Seconds between two logouts."""
SYNCED_BYTES: Final = 512
"""About as many as the store's journal grows by at a logout."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One round of one program, in ms."""

    logouts: list[float]
    disk: list[float]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a session of a program is opened and ended: five handshakes, and a request."""

    handshakes: list[Handshake]
    logout: bytes


@dataclass(frozen=True, slots=True)
class _Program:
    """Two processes of a program.

    Attributes:
        port: that logouts are sent to.
        new_ways: returns so many new sessions.
    """

    port: int
    new_ways: Callable[[int], list[_Way]]


def measure(plan: Plan, folder: Path) -> Result:
    """Measure logouts of a session with 5 sockets, among many that stay open."""
    seen: dict[str, list[_Seen]] = {}
    with valkey(folder / "store") as store:
        seen |= _alternate(
            (CURFEW, IN_MEMORY, *_peers(plan, programs.SOCKETIO)), plan, store, folder
        )
        others = (programs.TORNADO_PUBSUB, *_peers(plan, programs.SOCKETIO_STREAMS))
        seen |= _alternate(others, plan, store, folder)
    pooled = {
        name: sorted(each for one in rounds for each in one.logouts)
        for name, rounds in seen.items()
    }
    pooled[DISK] = sorted(each for one in seen[CURFEW] for each in one.disk)
    notes = [_note(name, values) for name, values in pooled.items()]
    return Result(_figures(seen), {"logout to last close, ms": pooled}, notes)


def _peers(plan: Plan, *names: str) -> tuple[str, ...]:
    return names if plan.with_peers else ()


def _alternate(
    names: Sequence[str], plan: Plan, store: int, folder: Path
) -> dict[str, list[_Seen]]:
    """Open the idle sockets of some programs, and log out on one after the other."""
    if flaw := flaw_of_open_files((plan.crowd + plan.logouts * SOCKETS_EACH) * len(names)):
        raise NotMeasurable(flaw)
    with ExitStack() as stack, asyncio.Runner() as runner:
        started = [_start(name, store, folder, stack) for name in names]
        idle: list[Socket] = []
        for each in started:
            ways = each.new_ways(plan.crowd // SOCKETS_EACH)
            idle += runner.run(_open_idle(ways))
        taken = in_turns(
            plan,
            started,
            lambda each: runner.run(_log_out(each.port, each.new_ways(plan.logouts), folder)),
        )
        runner.run(cut(idle))
    return dict(zip(names, taken, strict=True))


def _start(name: str, store: int, folder: Path, stack: ExitStack) -> _Program:
    if name in {CURFEW, IN_MEMORY}:
        url = f"redis://127.0.0.1:{store}" if name == IN_MEMORY else ""
        server = Curfew(folder / name, processes="2", store_url=url)
        stack.enter_context(server.running())
        people = stack.enter_context(server.people())
        return _Program(server.port, lambda count: _ways_of(server, people.sign_in(count)))
    ports = [stack.enter_context(programs.peer(name, store, folder)).port for _ in range(2)]
    path, ready = "/ws?", b"ready"
    if name != programs.TORNADO_PUBSUB:
        path, ready = "/socket.io/?EIO=4&transport=websocket&", b"40{"
    numbers = itertools.count()

    def new_way() -> _Way:
        session = f"session={next(numbers)}"
        # Every session has sockets on both processes.
        opened = [Handshake(port, path + session, ready) for port in (ports * 3)[:SOCKETS_EACH]]
        logout = request(ports[0], f"/logout?{session}", {}, method="POST", body="{}")
        return _Way(opened, logout.encode())

    return _Program(ports[0], lambda count: [new_way() for _ in range(count)])


def _ways_of(server: Curfew, people: list[Person]) -> list[_Way]:
    return [
        _Way(
            [server.handshake(person)] * SOCKETS_EACH,
            request(
                server.port, "/api/logout", person.headers_to_change, method="POST", body="{}"
            ).encode(),
        )
        for person in people
    ]


async def _open_idle(ways: list[_Way]) -> list[Socket]:
    return await open_sockets(each for way in ways for each in way.handshakes)


async def _log_out(port: int, ways: list[_Way], folder: Path) -> _Seen:
    sockets = await open_sockets(each for way in ways for each in way.handshakes)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seen = _Seen([], [])
    for number, way in enumerate(ways):
        own = sockets[number * SOCKETS_EACH : (number + 1) * SOCKETS_EACH]
        await asyncio.sleep(PAUSE)
        seen.disk.append(_sync_ms(folder))
        began = time.perf_counter()
        writer.write(way.logout)
        seen.logouts.append(1e3 * (await last_close(own) - began))
        await _read_answer(reader)
    writer.close()
    return seen


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    if length is None or not head.startswith(b"HTTP/1.1 2"):
        raise NotMeasurable(f"A logout is answered {head!r}.")
    await reader.readexactly(int(length[1]))


def _sync_ms(folder: Path) -> float:
    """Return how long the disk takes for what the embedded store waits for at a logout."""
    with (folder / "synced").open("ab") as file:
        file.write(b"x" * SYNCED_BYTES)
        file.flush()
        began = time.perf_counter()
        os.fdatasync(file.fileno())
        return 1e3 * (time.perf_counter() - began)


def _figures(seen: dict[str, list[_Seen]]) -> list[Figure]:
    what = f"logout of a session with {SOCKETS_EACH} sockets on 2 processes: POST → last close"
    over_50 = [median(each.logouts) - median(each.disk) for each in seen[CURFEW]]
    over_99 = [percentile(each.logouts, 99) - median(each.disk) for each in seen[CURFEW]]
    in_memory = [median(each.logouts) for each in seen[IN_MEMORY]]
    figures = [
        Figure(f"{what}, p50", "≤ one fdatasync + 3 ms", 3.0, over_50, unit="ms over it"),
        Figure(f"{what}, p99", "≤ one fdatasync + 12 ms", 12.0, over_99, unit="ms over it"),
        Figure(f"{what}, p50, store in memory", "≤ 3 ms", 3.0, in_memory, unit="ms"),
    ]
    if programs.SOCKETIO in seen:
        peer = [median(each.logouts) for each in seen[programs.SOCKETIO]]
        target = f"≤ 0.5 × {programs.SOCKETIO}"
        ratio = ratios(in_memory, peer)
        figures.append(Figure(f"{what}, p50, both on a store in memory", target, 0.5, ratio))
    return figures


def _note(name: str, values: list[float]) -> str:
    shown = {"p50": median(values), "p99": percentile(values, 99), "max": max(values)}
    figures = ", ".join(f"{word} {value:.1f}" for word, value in shown.items())
    return f"Logout to last close, {name}: {figures} ms."
