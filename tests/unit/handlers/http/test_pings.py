"""Pings: each socket once in an interval, by one timer for all of them, and none that is gone."""

import asyncio

import pytest

from handlers.http.pings import AT_ONCE, Pings
from tests.support.engine.virtual_time import monotonic, on_virtual_time

INTERVAL = 25.0


class Socket:
    """Notes when it was pinged."""

    def __init__(self) -> None:
        self.pinged_at = list[float]()

    def ping(self) -> None:
        """Note it."""
        self.pinged_at.append(monotonic())


@on_virtual_time
async def test_a_socket_is_pinged_once_in_an_interval() -> None:
    pings, first, later = Pings(INTERVAL), Socket(), Socket()
    began = monotonic()
    pings.add(first)
    await asyncio.sleep(10.5)
    pings.add(later)
    await asyncio.sleep(3 * INTERVAL)
    assert first.pinged_at == pytest.approx([began + each * INTERVAL for each in (1, 2, 3)])
    assert later.pinged_at == pytest.approx([began + 10 + each * INTERVAL for each in (1, 2, 3)])


@on_virtual_time
async def test_a_socket_that_is_gone_is_not_pinged_and_no_timer_runs_for_nobody() -> None:
    pings, kept, gone = Pings(INTERVAL), Socket(), Socket()
    pings.add(kept)
    pings.add(gone)
    pings.discard(gone)
    pings.discard(gone)
    await asyncio.sleep(INTERVAL + 1)
    pings.discard(kept)
    await asyncio.sleep(2 * INTERVAL)
    assert (len(kept.pinged_at), gone.pinged_at) == (1, [])


@on_virtual_time
async def test_many_sockets_are_pinged_in_slices_with_others_in_between() -> None:
    pings, sockets = Pings(INTERVAL), [Socket() for _ in range(3 * AT_ONCE)]
    for each in sockets:
        pings.add(each)
    most = before = 0
    while before < len(sockets):
        await asyncio.sleep(0 if before else INTERVAL)
        pinged = sum(len(each.pinged_at) for each in sockets)
        most, before = max(most, pinged - before), pinged
    assert most <= AT_ONCE


@on_virtual_time
async def test_a_socket_that_goes_while_others_are_pinged_is_not() -> None:
    pings, sockets = Pings(INTERVAL), [Socket() for _ in range(2)]
    for each in sockets:
        pings.add(each)
    sockets[0].ping = lambda: pings.discard(sockets[1])  # type: ignore[method-assign]
    await asyncio.sleep(INTERVAL + 1)
    assert sockets[1].pinged_at == []
