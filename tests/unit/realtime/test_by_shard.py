"""What runs once for each shard runs as one, and stops as one."""

import asyncio
from typing import Any, cast

from server.realtime.by_shard import Followers, Leases, Reconcilers


class Part:
    """A follower, a lease or a reconciler that notes what is asked of it."""

    listed = 3

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sweep_soon(self) -> None:
        """See the real one."""
        self.asked.append("sweep_soon")

    async def run(self) -> None:
        """See the real one."""
        self.asked.append("run")
        await asyncio.Event().wait()

    async def start(self) -> None:
        """See the real one."""
        self.asked.append("start")

    async def look(self) -> None:
        """See the real one."""
        self.asked.append("look")

    async def settle(self) -> None:
        """See the real one."""
        self.asked.append("settle")

    async def release(self) -> None:
        """See the real one."""
        self.asked.append("release")


async def ran(whole: Followers | Leases | Reconcilers) -> None:
    """Let it run for a moment."""
    running = asyncio.create_task(whole.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


async def test_each_part_is_asked() -> None:
    parts = [Part(), Part()]
    given = cast("Any", parts)
    followers, leases, reconcilers = Followers(given), Leases(given), Reconcilers(given)
    await followers.start()
    for whole in (followers, leases, reconcilers):
        await ran(whole)
    await leases.look()
    await leases.settle()
    await leases.release()
    reconcilers.sweep_soon()
    asked = ["start", "run", "run", "run", "look", "settle", "release", "sweep_soon"]
    assert [each.asked for each in parts] == [asked, asked]
    assert leases.listed == Part.listed
