"""What follows the workers from their parent, besides what starts and ends them."""

import socket
from typing import Protocol


class WorkerObserver(Protocol):
    """Hears of each worker's start and end. Nothing here may block, and nothing may raise."""

    def prepare(self, places: int) -> None:
        """Prepare for so many workers. None has been started."""

    def begin(self) -> None:
        """Begin, when the first workers run."""

    def started(self, place: int, pid: int) -> None:
        """Note that a worker runs.

        Args:
            place: Which worker.
            pid: Its process id.
        """

    def ended(self, place: int, why: str) -> None:
        """Note that a worker is gone.

        Args:
            place: Which worker.
            why: `exit`, `crash` or `hang`.
        """

    def enter_worker(self, place: int) -> socket.socket | None:
        """Close what only the parent may keep open; return the worker's way to its parent.

        Called in a new worker, before anything else.
        """

    def finish(self) -> None:
        """End, when all workers are gone."""
