"""Publishing to a room of a thousand sockets, beside a bare loop of `write_message`."""

import asyncio
import http.client
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import programs
from benchmarks.crowd import Handshake, cut, open_sockets
from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.plan import Plan
from benchmarks.processes import cpu_seconds
from benchmarks.rounds import in_turns
from benchmarks.running import Served, valkey

SERVED: Final = ("-m", "benchmarks.inside.rooms_run")
SOCKETS: Final = 1_000
SOCKETS_EACH: Final = 5
TIMES: Final = 40
"""Messages in a round: CPU time is counted in hundredths of a second."""
SETTLED: Final = 1.0
"""Seconds in which everything has been delivered."""
MOST: Final = 1.3


def measure(plan: Plan, folder: Path) -> Result:
    """Measure what one process uses to publish, with a room of 1,000 sockets."""
    server = Curfew(folder / "curfew", script=SERVED)
    with ExitStack() as stack:
        store = stack.enter_context(valkey(folder / "store"))
        peer = stack.enter_context(programs.peer(programs.TORNADO_SOCKETS, store, folder))
        pids = stack.enter_context(server.running())
        people = stack.enter_context(server.people()).sign_in(SOCKETS // SOCKETS_EACH)
        handshakes = [server.handshake(each) for each in people for _ in range(SOCKETS_EACH)]
        bare = [Handshake(peer.port, "/ws", b"ready")] * SOCKETS
        ours, theirs = asyncio.run(_rounds(plan, (server.port, pids), handshakes, peer, bare))
    what = f"publishing to a room of {SOCKETS:,} sockets, CPU of the process"
    target = f"≤ {MOST} × a bare loop of write_message"
    each = 1e6 / TIMES / SOCKETS
    series = {"CPU of a message to a socket, in us": {
        "Curfew": [each * seconds for seconds in ours],
        programs.TORNADO_SOCKETS: [each * seconds for seconds in theirs],
    }}  # fmt: skip
    return Result([Figure(what, target, MOST, ratios(ours, theirs))], series)


async def _rounds(
    plan: Plan,
    curfew: tuple[int, Sequence[int]],
    handshakes: list[Handshake],
    peer: Served,
    bare: list[Handshake],
) -> list[list[float]]:
    """Open all sockets, and publish by turns, while a thread keeps reading them."""
    port, pids = curfew
    sockets = [*await open_sockets(handshakes), *await open_sockets(bare)]
    await asyncio.to_thread(_post, port, "/admit")
    await asyncio.sleep(2 * SETTLED)
    ways = [
        partial(_cpu_of, port, f"/publish?times={TIMES}", pids),
        partial(_cpu_of, peer.port, f"/say?times={TIMES}", peer.pids),
    ]
    measured = await asyncio.to_thread(in_turns, plan, ways, lambda way: way())
    await cut(sockets)
    return measured


def _cpu_of(port: int, path: str, pids: Sequence[int]) -> float:
    """Return the CPU time of the processes for a request, and for what it sends."""
    before = cpu_seconds(pids)
    _post(port, path)
    asyncio.run(asyncio.sleep(SETTLED))
    return cpu_seconds(pids) - before


def _post(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, headers={"Content-Length": "0"})
    connection.getresponse().read()
    connection.close()
