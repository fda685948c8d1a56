"""What a million rooms cost: `python -m benchmarks.parts.million_rooms`, some minutes.

It makes them in a Valkey of its own, by the store's own method, and says what each takes, how long
it takes to make one, and what it costs to publish in one of so many.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

from redis.asyncio import Redis

from server.core.rooms import MAX_ROOMS, RoomOptions
from server.store.connection import open_client
from server.store.room_store import RedisRoomStore
from server.store.scripts import Scripts
from tests.support.servers.valkey import ValkeyServer

AT_ONCE = 50
"""Requests under way: the store is busy, and not the way to it."""
LOOKS = 2_000
"""Measurements of one figure."""
STEPS = (1_000, 10_000, 100_000, 300_000, MAX_ROOMS)


async def measure(most: int) -> None:
    """Make rooms, and print what was measured on the way."""
    with ValkeyServer() as valkey:
        async with open_client(valkey.url) as client, open_client(valkey.owner_url) as owner:
            rooms = RedisRoomStore(client, Scripts(client), [], 1)
            empty, made = await memory_of(owner), 0
            for step in [each for each in STEPS if each <= most]:
                began = time.perf_counter()
                await many(lambda n: rooms.create(name(n), "12345678", RoomOptions()), made, step)
                seconds = time.perf_counter() - began
                each, made = 1e6 * seconds / (step - made), step
                bytes_each = (await memory_of(owner) - empty) / made
                publish = partial(rooms.publish, name(made // 2), b"x" * 100, "", "")
                alone = await one_by_one(publish)
                print(
                    f"{made:>9,} rooms: {bytes_each:.0f} bytes each, {each:.0f} µs to make one of "
                    f"{AT_ONCE} at once, {alone} µs to publish (median, 5% and 95%)",
                    flush=True,
                )
            print("one more:", await rooms.create("one more", "12345678", RoomOptions()) or "made")


def name(number: int) -> str:
    """Return a name of the usual length."""
    return f"chat:{number:09}"


async def many(act: Callable[[int], Awaitable[object]], first: int, last: int) -> None:
    """Do something with each number, some at once."""
    numbers = iter(range(first, last))

    async def some() -> None:
        for number in numbers:
            await act(number)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def one_by_one(act: Callable[[], Awaitable[object]]) -> str:
    """Return how long something takes alone: median, 5% and 95%, in µs."""
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await act()
        took.append(1e6 * (time.perf_counter() - began))
    cuts = statistics.quantiles(took, n=20)
    return f"{statistics.median(took):.0f} ({cuts[0]:.0f} to {cuts[-1]:.0f})"


async def memory_of(owner: Redis) -> int:
    """Return how many bytes the store has taken."""
    return int((await owner.info("memory"))["used_memory"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=MAX_ROOMS, help="how many rooms at most")
    asyncio.run(measure(parser.parse_args().most))
