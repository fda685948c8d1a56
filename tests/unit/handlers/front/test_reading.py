"""When bytes of a connection are read: not while many wait, nor while a crowd waits its turn."""

import asyncio
from typing import cast

from handlers.front.limits import READ_AHEAD_BYTES
from handlers.front.reading import BoundedReading
from handlers.front.turns import Share, Turns
from tests.support.clients.peer import connected
from tests.support.running.waiting import until

HEADERS = 1024


class Switch:
    """A transport of which only the switch for reading is there.

    Attributes:
        turned: what was asked of it.
    """

    def __init__(self) -> None:
        self.turned = list[str]()

    def pause_reading(self) -> None:
        """Note it."""
        self.turned.append("pause")

    def resume_reading(self) -> None:
        """Note it."""
        self.turned.append("resume")


def reading(share: Share) -> tuple[BoundedReading, Switch]:
    """Return what reads, and its transport."""
    switch = Switch()
    return BoundedReading(cast("asyncio.Transport", switch), share, HEADERS), switch


def shares(*, others: bool) -> Share:
    """Return an address's share, after other addresses were active, or none were."""
    turns = Turns(asyncio.get_running_loop())
    share = turns.share_of("192.0.2.1")
    if others:
        assert turns.share_of("198.51.100.1").may_begin()
    assert share.may_begin()
    return share


async def test_it_stops_while_too_many_bytes_wait_and_asks_the_transport_once() -> None:
    read, switch = reading(shares(others=False))
    for received in (0, READ_AHEAD_BYTES, READ_AHEAD_BYTES + 1, READ_AHEAD_BYTES + 2):
        read.bound(received, waits=False)
    assert switch.turned == ["pause"]
    assert read.is_paused
    read.bound(0, waits=True)
    read.bound(0, waits=True)
    assert switch.turned == ["pause", "resume"]


async def test_of_a_crowd_nothing_is_read_before_its_turn_as_long_as_others_are_active() -> None:
    read, switch = reading(shares(others=True))
    read.bound(1, waits=True)
    assert switch.turned == ["pause"]
    read.bound(1, waits=False)
    assert switch.turned == ["pause", "resume"]


class Paused(asyncio.Protocol):
    """Reads nothing."""

    reading: BoundedReading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stop at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self.reading = BoundedReading(transport, shares(others=False), HEADERS)


async def test_a_peer_that_has_left_is_known_although_nothing_was_read() -> None:
    paused = Paused()
    async with connected(lambda: paused) as (_, peer), asyncio.timeout(20):
        await peer.send(b"a request that nobody waits for")
        assert not paused.reading.peer_has_left()
        peer.close()

        async def has_left() -> bool:
            return paused.reading.peer_has_left()

        await until(has_left)
