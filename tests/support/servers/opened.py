"""The services of a node within a test's own process, without HTTP."""

import asyncio

from server.services import Services, open_services
from settings import Settings


class Opened:
    """Services that one task opens and closes, as their task group asks for.

    Args:
        settings: of the node.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._over = asyncio.Event()

    async def open(self) -> Services:
        """Open them."""
        opened: asyncio.Future[Services] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(opened))
        self._task.add_done_callback(lambda _: opened.cancel())
        try:
            return await opened
        except asyncio.CancelledError:
            await self._task
            raise

    async def close(self) -> None:
        """Close them."""
        self._over.set()
        await self._task

    async def _hold(self, opened: "asyncio.Future[Services]") -> None:
        async with open_services(self._settings) as services:
            opened.set_result(services)
            await self._over.wait()
