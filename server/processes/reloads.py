"""A reload in two steps: all workers prepare, and when every one of them has, all commit.

So no worker writes with a key before all of them can read with it. A step is a number on the board,
odd to prepare and even to commit, and a signal that makes the workers look at the board at once. A
worker that starts meanwhile has what the parent has.
"""

import logging
import signal
from typing import Protocol

from server.processes.board import Board
from server.processes.workers import Workers

log = logging.getLogger("curfew.serving")

POLL_SECONDS = 0.2
"""The time between two looks at who has prepared."""


class Reload(Protocol):
    """What the parent itself does in the two steps."""

    def prepare(self) -> bool:
        """Reload what can be reloaded, and return whether `commit` has something to do."""

    def commit(self) -> None:
        """Complete it: all workers have prepared."""


class Reloads:
    """Leads parent and workers through reloads.

    Args:
        reload: What the parent does; None if there is nothing to reload.
        board: Shows the workers the step.
        workers: Are told to look.
    """

    def __init__(self, reload: Reload | None, board: Board, workers: Workers) -> None:
        """Begin without a reload."""
        self._reload = reload
        self._board = board
        self._workers = workers
        self._awaited = False

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the next call of `advance`; None while no step is awaited."""
        return POLL_SECONDS if self._awaited else None

    def begin(self) -> None:
        """Prepare, here and in all workers. A reload that was not committed begins anew."""
        if self._reload is None:
            return
        try:
            self._awaited = self._reload.prepare()
        except Exception:  # a reload never ends anything
            self._awaited = False
            log.exception("the reload failed here; the workers try it all the same")
        self._ask(self._board.asked + (2 if is_preparing(self._board.asked) else 1))

    def advance(self) -> None:
        """Commit, if every worker that runs has prepared."""
        if self._reload is None or not self._awaited or not self._all_have_noted():
            return
        self._awaited = False
        self._reload.commit()
        self._ask(self._board.asked + 1)

    def _ask(self, step: int) -> None:
        self._board.ask(step)
        self._workers.send(signal.SIGHUP)

    def _all_have_noted(self) -> bool:
        places = self._workers.places.values()
        return all(self._board.noted(place) == self._board.asked for place in places)


def is_preparing(step: int) -> bool:
    """Return whether a step prepares; one that does not commits."""
    return step % 2 == 1
