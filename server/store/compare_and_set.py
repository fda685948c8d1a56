"""The compare-and-set loop: load, change, save, and start again if another writer was first."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from server.store.contract import Conflict

MAX_TRIES: Final = 8
"""A try is only lost to a write that succeeded, and nobody writes to one account that often."""

T = TypeVar("T")


async def retry_conflicts(attempt: Callable[[], Awaitable[T | Conflict]]) -> T | Conflict:
    """Call `attempt` until no other writer was first, at most `MAX_TRIES` times.

    Args:
        attempt: loads a record, changes it and saves it. Returns `Conflict` if another writer
            saved it in between.

    Returns:
        What the last attempt returned; `Conflict` if every attempt lost.
    """
    for _ in range(MAX_TRIES):
        outcome = await attempt()
        if not isinstance(outcome, Conflict):
            return outcome
    return Conflict()
