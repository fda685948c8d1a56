"""Limits the handshakes of sockets that are under way, so that a crowd does not stop the process.

Each needs the store twice. If too many begin together, the answers of the store wait so long for
their turn that all of them fail. So the rest is told to come back, before anything is done.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from handlers.http.problems import UNAVAILABLE, Problem

RETRY_AFTER: Final = range(1, 6)
"""Seconds, of which each client is told others."""
_LATER: Final = tuple(
    replace(UNAVAILABLE, headers={"Retry-After": str(seconds)}) for seconds in RETRY_AFTER
)


class Handshakes:
    """Counts the handshakes of this process.

    Args:
        most: how many may be under way.
        count_refused: called for each that is told to come back.

    Attributes:
        under_way: how many there are.
        are_taken: whether sockets may open here at all; a process that stops takes none.
    """

    def __init__(self, most: int, count_refused: Callable[[], object]) -> None:
        self._most = most
        self._count_refused = count_refused
        self.under_way = 0
        self.are_taken = True

    def enter(self) -> Problem | None:
        """Count a handshake, or return the problem that tells its client to come back."""
        if self.are_taken and self.under_way < self._most:
            self.under_way += 1
            return None
        self._count_refused()
        return random.choice(_LATER)  # noqa: S311 nothing is hidden behind it

    def leave(self) -> None:
        """Stop counting a handshake: its socket is open, or was refused."""
        self.under_way -= 1
