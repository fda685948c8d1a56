"""What a fleet does while sessions end, and after some of its nodes are lost: figures."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.core.receipt import State
from server.engine import Engine
from tests.simulation.fleet import COMPARED, TICK, TIMING, Fleet, Size
from tests.simulation.fleet_store import Costs

WARMING: Final = 3.0
"""Seconds in which ends come before anything is counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened in a second, on average, while sessions were ended.

    Attributes:
        ends: entries of ends in the control stream.
        acknowledgements: entries that say that a node has carried out ends.
        reads: reads of the streams by all nodes, idle ones included.
        entries: that these reads brought.
        renewals: of leases.
        store: the part of the store's core that is used, the part for others included.
        behind: seconds that commands wait for their turn at the end.
        complete: the part of receipts that say that every node has stopped.
        median: milliseconds until a receipt.
        slowest: of a hundred receipts, likewise.
        lies: receipts that were wrong.
        open: how many nodes may serve at the end.
    """

    ends: float
    acknowledgements: float
    reads: float
    entries: float
    renewals: float
    store: float
    behind: float
    complete: float
    median: float
    slowest: float
    lies: int
    open: int


def run_ends(
    size: Size,
    costs: Costs,
    rate: float,
    seconds: float = 5.0,
    change: Callable[[Engine], object] = id,
) -> Figures:
    """End sessions at a rate, and return what that made the fleet do."""
    fleet = Fleet(size, costs, change=change)

    async def run() -> Figures:
        await fleet.start()
        await fleet.end_sessions(rate, WARMING)  # what nodes may do at once is used up then
        memory, server = fleet.memory, fleet.server
        before, used, first = server.commands.copy(), server.used, memory.control.added
        await fleet.end_sessions(rate, seconds)
        done = server.commands - before
        behind, share = server.behind, (server.used - used) / seconds + size.busy
        ends = memory.control.added - first
        await asyncio.sleep(2 * TIMING.termination_wait.total_seconds())
        states = fleet.receipts.states
        return Figures(
            ends=ends / seconds,
            acknowledgements=done["acknowledge"] / seconds,
            reads=done["read"] / seconds,
            entries=done["entries read"] / seconds,
            renewals=done["renew"] / seconds,
            store=share,
            behind=behind,
            complete=states[State.COMPLETE] / max(1, sum(states.values()) + fleet.failed),
            median=fleet.receipts.latency(50),
            slowest=fleet.receipts.latency(99),
            lies=len(fleet.lies),
            open=fleet.open,
        )

    found = fleet.loop.run(run())
    assert not fleet.loop.failures, fleet.loop.failures[0]
    return found


@dataclass(frozen=True, slots=True)
class Loss:
    """What happened after nodes were lost.

    Attributes:
        sockets: that came to other nodes.
        back: seconds until all of them were open.
        reported: seconds until their numbers were in the store; infinite if it took longer than was
            looked at.
        behind: the longest time, in seconds, that a command of the store waited for its turn.
        fewest: of the living nodes, how many could serve at the worst moment.
        skipped: how often a node skipped entries and compared all its sessions instead.
        states: what the receipts of ends said.
        failed: ends that the store did not take in time.
        slowest: milliseconds until a receipt, of a hundred, when the lost nodes were off the list.
        lies: receipts that were wrong.
    """

    sockets: int
    back: float
    reported: float
    behind: float
    fewest: int
    skipped: int
    states: dict[State, int]
    failed: int
    slowest: float
    lies: int


def run_loss(
    size: Size,
    costs: Costs,
    share: float,
    rate: float,
    seconds: float = 20.0,
    change: Callable[[Engine], object] = id,
) -> Loss:
    """Lose a share of the nodes while sessions end at a rate, and return what that did."""
    fleet = Fleet(size, costs, change=change)

    async def run() -> Loss:
        await fleet.start()
        ending = fleet.loop.create_task(fleet.end_sessions(rate, seconds))
        await asyncio.sleep(1)
        began, lost = fleet.loop.now, fleet.lose(share)
        back = fleet.loop.create_task(fleet.come_back(lost))
        done: dict[str, float] = {}
        fewest, behind, loads = fleet.size.nodes, 0.0, fleet.server.commands["load"]
        while not ending.done():
            await asyncio.sleep(TICK)
            fewest, behind = min(fewest, fleet.open), max(behind, fleet.server.behind)
            arrived = sum(len(each.hub.arrived) for each in fleet.alive)
            if back.done() and arrived == size.sockets // size.nodes * len(lost):
                done.setdefault("back", fleet.loop.now - began)
                if not any(each.engine.socket_counts._changed for each in fleet.alive):
                    done.setdefault("reported", fleet.loop.now - began)
        await asyncio.sleep(2 * TIMING.termination_wait.total_seconds())
        return Loss(
            sockets=size.sockets // size.nodes * len(lost),
            back=done.get("back", float("inf")),
            reported=done.get("reported", float("inf")),
            behind=behind,
            fewest=fewest,
            skipped=(fleet.server.commands["load"] - loads) // COMPARED,
            states=fleet.receipts.states,
            failed=fleet.failed,
            slowest=fleet.receipts.latency(99),
            lies=len(fleet.lies),
        )

    found = fleet.loop.run(run())
    assert not fleet.loop.failures, fleet.loop.failures[0]
    return found
