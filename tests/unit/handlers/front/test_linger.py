"""The end of a refused connection: it reads on when it has its turn, and not without end."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from handlers.front.deadline import Deadline
from handlers.front.limits import LINGER_BYTES, LINGER_SECONDS
from handlers.front.linger import Linger
from handlers.front.outgoing import Outgoing
from handlers.front.turns import Share, Turns
from tests.support.clients.peer import Peer, connected


@asynccontextmanager
async def lingering(
    at_most: float = math.inf,
) -> AsyncIterator[tuple[Linger, asyncio.Transport, Peer, Share, Deadline, Outgoing]]:
    """The end of a connection."""
    loop = asyncio.get_running_loop()
    share = Turns(loop).share_of("192.0.2.1")
    async with connected(asyncio.Protocol) as (transport, peer):
        deadline, outgoing = Deadline(loop, transport.abort), Outgoing(transport)
        linger = Linger(transport, outgoing, share, deadline, at_most)
        yield linger, transport, peer, share, deadline, outgoing
        deadline.cancel()


async def test_what_comes_is_dropped_a_piece_in_each_turn() -> None:
    async with lingering() as (linger, transport, peer, *_):
        assert await peer.read_all() == b"", "it says that no more comes"
        linger.drop(LINGER_BYTES)
        assert not transport.is_reading()
        for _turn in range(3):
            await asyncio.sleep(0)
        assert transport.is_reading()


async def test_who_sends_too_much_is_cut() -> None:
    async with lingering() as (linger, transport, _, share, *_more):
        linger.drop(LINGER_BYTES)
        linger.drop(1)
        assert transport.is_closing()
        for _turn in range(3):
            await asyncio.sleep(0)
        assert not share.is_waiting


async def test_who_sends_on_gets_more_time_and_not_without_end() -> None:
    now = asyncio.get_running_loop().time
    for at_most, first in ((math.inf, LINGER_SECONDS), (1.0, 1.0)):
        async with lingering(at_most) as (linger, _, _, _, deadline, _):
            began = now()
            linger.wait()
            assert abs(deadline._at - began - first) < 0.5
            deadline.clear()
            linger.drop(1)
            assert abs(deadline._at - began - first) < 0.5
            linger._until = began + 2.0  # most of the time is over
            linger.drop(1)
            assert deadline._at == began + 2.0


async def test_as_long_as_the_answer_is_not_read_the_readers_own_deadline_counts() -> None:
    async with lingering() as (linger, _, _, _, deadline, outgoing):
        outgoing.is_blocked = True
        linger.drop(1)
        assert deadline._at == math.inf
