"""Answers to many who ask at once, each of which began after its question."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Rounds(Generic[_T]):
    """Runs one round after the other. Who comes during a round shares the next one with the others.

    Args:
        run: a round; it must begin with what is true now.
    """

    def __init__(self, run: Callable[[], Awaitable[_T]]) -> None:
        self._run = run
        self._current: asyncio.Future[_T] | None = None
        self._next: asyncio.Future[_T] | None = None

    async def fresh(self) -> _T:
        """Return the result of a round that begins from now on."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._current))
        return await asyncio.shield(self._next)

    async def _after(self, current: asyncio.Future[_T] | None) -> _T:
        if current is not None:
            await asyncio.wait([current])
        self._current, self._next = self._next, None
        return await self._run()
