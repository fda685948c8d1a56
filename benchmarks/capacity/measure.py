"""Measures the unit costs on this machine: CPU time of the nodes and of the store, in turns."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.capacity.units import Units, fitted
from benchmarks.crowd import cut, open_sockets
from benchmarks.curfew import Curfew
from benchmarks.people import Person
from benchmarks.processes import cpu_seconds, resident_bytes
from tests.support.running.processes import processes_of

FLEETS: Final = (1, 2, 4, 8, 16)
"""Processes, each a node, on this machine."""
IDLE_SECONDS: Final = 8.0
SETTLE_SECONDS: Final = 3.0
ENDS: Final = 120
REQUESTS: Final = 3_000
IN_FLIGHT: Final = 16
SOCKETS: Final = 2_000
MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Round:
    """What one fleet cost in one round, in microseconds of CPU.

    Attributes:
        nodes: how many processes.
        idle_node: a second of all nodes together.
        idle_store: the same, in the store.
        end_node: an end, on all nodes together.
        end_store: the same, in the store.
        end_ms: how long a logout took, at the median, one at a time.
    """

    nodes: int
    idle_node: float
    idle_store: float
    end_node: float
    end_store: float
    end_ms: float


class Meter:
    """Reads the CPU time of nodes and store.

    Args:
        nodes: process ids.
        store: likewise.
    """

    def __init__(self, nodes: list[int], store: list[int]) -> None:
        self._nodes, self._store = nodes, store

    def read(self) -> tuple[float, float, float]:
        """Return the CPU seconds of nodes and store so far, and the time."""
        return cpu_seconds(self._nodes), cpu_seconds(self._store), time.perf_counter()


@contextmanager
def served(folder: Path, nodes: int) -> Iterator[tuple[Curfew, Meter, list[int]]]:
    """Run so many processes on a store of their own."""
    server = Curfew(folder, processes=str(nodes), watchdog="off")
    with server.running() as pids:
        store = processes_of(server.data_dir, "valkey-server")
        time.sleep(SETTLE_SECONDS)
        yield server, Meter(pids, store), pids


def measure(folder: Path, rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything; return the units, and the rounds that they come from."""
    taken: list[Round] = []
    for number in range(rounds):
        for nodes in FLEETS:
            taken.append(_round(folder / f"{number}-{nodes}", nodes))
            tell(str(taken[-1]))
    request_node, request_store = _requests(folder / "requests")
    socket_node, socket_bytes = _sockets(folder / "sockets")
    idle_node = fitted([(each.nodes, each.idle_node) for each in taken])
    idle_store = fitted([(each.nodes, each.idle_store) for each in taken])
    end_node = fitted([(each.nodes, each.end_node) for each in taken])
    end_store = fitted([(each.nodes, each.end_store) for each in taken])
    units = Units(
        idle_node=idle_node.slope,
        idle_store=idle_store.slope,
        request_node=request_node,
        request_store=request_store,
        end_node=end_node.base,
        end_store=end_store.base,
        heard_node=end_node.slope,
        heard_store=end_store.slope,
        socket_node=socket_node,
        socket_bytes=socket_bytes,
        session_bytes=0.0,
    )
    return {"units": units.as_dict(), "rounds": [_as_dict(each) for each in taken]}


def _as_dict(each: Round) -> dict[str, float]:
    return {name: round(getattr(each, name), 1) for name in Round.__slots__}


def _round(folder: Path, nodes: int) -> Round:
    with served(folder, nodes) as (server, meter, _), server.people() as people:
        persons = people.sign_in(ENDS)
        time.sleep(1.0)
        before = meter.read()
        time.sleep(IDLE_SECONDS)
        idle = meter.read()
        seconds = idle[2] - before[2]
        idle_node, idle_store = (MICRO * (idle[n] - before[n]) / seconds for n in (0, 1))
        took = asyncio.run(_log_out(server, persons))
        after = meter.read()
        lasted = after[2] - idle[2]
        return Round(
            nodes,
            idle_node,
            idle_store,
            (MICRO * (after[0] - idle[0]) - idle_node * lasted) / ENDS,
            (MICRO * (after[1] - idle[1]) - idle_store * lasted) / ENDS,
            1000 * statistics.median(took),
        )


async def _log_out(server: Curfew, persons: list[Person]) -> list[float]:
    """Log out one person after the other; return how long each took."""
    took = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        for each in persons:
            began = time.perf_counter()
            headers = {**each.headers_to_change, "Origin": server.url}
            answer = await client.post("/api/logout", headers=headers)
            answer.raise_for_status()
            took.append(time.perf_counter() - began)
    return took


def _requests(folder: Path) -> tuple[float, float]:
    """Return what a request costs the node and the store."""
    with served(folder, 1) as (server, meter, _), server.people() as people:
        persons = people.sign_in(IN_FLIGHT)
        asyncio.run(_ask(server, persons, REQUESTS // 10))
        before = meter.read()
        asyncio.run(_ask(server, persons, REQUESTS))
        after = meter.read()
    return tuple(MICRO * (after[n] - before[n]) / REQUESTS for n in (0, 1))  # type: ignore[return-value]  # two


async def _ask(server: Curfew, persons: list[Person], number: int) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:

        async def some(person: Person) -> None:
            for _ in range(number // len(persons)):
                (await client.get("/api/session", headers=person.headers)).raise_for_status()

        await asyncio.gather(*(some(each) for each in persons))


def _sockets(folder: Path) -> tuple[float, float]:
    """Return what an idle socket costs its node: CPU in a second, and bytes."""
    with served(folder, 1) as (server, meter, pids), server.people() as people:
        persons = people.sign_in(SOCKETS // 5)
        before = meter.read()
        time.sleep(IDLE_SECONDS)
        idle, memory = meter.read(), resident_bytes(pids)
        used, grown = asyncio.run(_hold(server, persons, meter, pids))
    alone = (idle[0] - before[0]) / (idle[2] - before[2])
    return max(0.0, MICRO * (used - alone) / SOCKETS), (grown - memory) / SOCKETS


async def _hold(
    server: Curfew, persons: list[Person], meter: Meter, pids: list[int]
) -> tuple[float, float]:
    """Hold sockets for longer than a ping takes to come; return CPU in a second, and memory."""
    handshakes = (server.handshake(person) for person in persons for _ in range(5))
    sockets = await open_sockets(handshakes)
    await asyncio.sleep(SETTLE_SECONDS)
    before = meter.read()
    await asyncio.sleep(30)
    after, memory = meter.read(), resident_bytes(pids)
    await cut(sockets)
    return (after[0] - before[0]) / (after[2] - before[2]), memory
