"""The end of a refused connection: it reads on when it has its turn, and not without end."""

import asyncio

from handlers.front.limits import LINGER_BYTES
from handlers.front.linger import Linger
from handlers.front.turns import Turns
from tests.support.clients.peer import connected


async def test_what_comes_is_dropped_a_piece_in_each_turn() -> None:
    share = Turns(asyncio.get_running_loop()).share_of("192.0.2.1")
    async with connected(asyncio.Protocol) as (transport, peer):
        linger = Linger(transport, share)
        assert await peer.read_all() == b"", "it says that no more comes"
        linger.drop(LINGER_BYTES)
        assert not transport.is_reading()
        for _ in range(3):
            await asyncio.sleep(0)
        assert transport.is_reading()


async def test_who_sends_too_much_is_cut() -> None:
    share = Turns(asyncio.get_running_loop()).share_of("192.0.2.1")
    async with connected(asyncio.Protocol) as (transport, _):
        linger = Linger(transport, share)
        linger.drop(LINGER_BYTES)
        linger.drop(1)
        assert transport.is_closing()
        for _ in range(3):
            await asyncio.sleep(0)
        assert not share.is_waiting
