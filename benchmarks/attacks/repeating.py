"""The ways in which an attacker sends: on many connections, again and again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from benchmarks.attacks.wire import PATIENCE, Build, Target, answered, connected

CROWD: Final = 100
"""Connections of the attacker."""

Attack = Callable[[Target], Awaitable[None]]


async def for_ever(once: Callable[[], Awaitable[None]]) -> None:
    """Do the same again and again, whatever the server does about it."""
    while True:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            await once()
        await asyncio.sleep(0)


def at_once(once: Callable[[Target], Awaitable[None]], times: int = CROWD) -> Attack:
    """Return the attack that does something for ever, many times at once."""

    async def attack(target: Target) -> None:
        await asyncio.gather(*(for_ever(lambda: once(target)) for _ in range(times)))

    return attack


def crowd(build: Build, *, reads: bool = True, stays: bool = True) -> Attack:
    """Return the attack that sends a request on many connections at once.

    Args:
        build: makes the request.
        reads: whether answers are read; if not, the connection is cut when all is sent.
        stays: whether a connection sends the next one, too.
    """

    async def once(target: Target) -> None:
        request = build(target)
        async with connected(target) as (reader, writer):
            while True:
                writer.write(request)
                if not reads:
                    await writer.drain()
                    return
                async with asyncio.timeout(PATIENCE):
                    await answered(reader)
                if not stays:
                    return

    return at_once(once)


def held(sends: Build, connections: int, again: Build | None = None, every: float = 0.05) -> Attack:
    """Return the attack that holds many connections, and reads nothing from them.

    Args:
        sends: makes what is sent first.
        connections: how many.
        again: makes what is sent on each from then on; None for nothing.
        every: seconds between two of those.
    """

    async def attack(target: Target) -> None:
        async def hold() -> None:
            async with connected(target) as (_, writer):
                writer.write(sends(target))
                while again is not None:
                    await asyncio.sleep(every)
                    writer.write(again(target))
                    await writer.drain()
                await asyncio.sleep(60)

        holding: set[asyncio.Task[None]] = set()
        for _ in range(connections):
            holding.add(asyncio.create_task(for_ever(hold)))
            await asyncio.sleep(0.001)
        await asyncio.gather(*holding)

    return attack
