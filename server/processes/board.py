"""What the parent and its workers tell each other: a few bytes of memory that they share.

A worker counts its heartbeats here. The parent counts the steps that it asks of all workers, and
each worker notes the step that it has taken. It costs no wake-up, and no reader can be too slow.
"""

import mmap
import socket

MODULUS = 256
"""Numbers are bytes. They are compared for equality only."""


class Board:
    """The shared memory. Make it before the first fork.

    Args:
        places: The number of workers.
    """

    def __init__(self, places: int) -> None:
        """Begin with zeros."""
        self._places = places
        self._memory = mmap.mmap(-1, 3 + 3 * places)
        self._complete = 0

    @property
    def asked(self) -> int:
        """The step that the parent has asked for."""
        return self._memory[0]

    def ask(self, step: int) -> None:
        """Ask all workers for a step. Only the parent calls this.

        Args:
            step: A number that differs from the one before.
        """
        self._memory[0] = step % MODULUS
        self._complete = step % MODULUS // 2 * 2

    def stop(self) -> None:
        """Note that all workers are about to be told to stop. Only the parent calls this."""
        self._memory[1 + 2 * self._places] = 1

    @property
    def stopping(self) -> int:
        """How many workers stop, if one does: all of them, or it alone."""
        return self._places if self._memory[1 + 2 * self._places] else 1

    @property
    def complete(self) -> int:
        """The last step that was asked of all before this process was forked, if it committed.

        What the parent asks later is not known here: this number is not in the shared memory.
        """
        return self._complete

    def note(self, place: int, step: int) -> None:
        """Note that a worker has taken a step.

        Args:
            place: Which worker.
            step: What `asked` was.
        """
        self._memory[1 + self._places + place] = step

    def noted(self, place: int) -> int:
        """Return the latest step that a worker has taken."""
        return self._memory[1 + self._places + place]

    def beat(self, place: int) -> None:
        """Count a heartbeat of a worker."""
        self._memory[1 + place] = (self._memory[1 + place] + 1) % MODULUS

    def beats(self, place: int) -> int:
        """Return a number that changes with every heartbeat of a worker."""
        return self._memory[1 + place]

    def serve(self, place: int, *, serves: bool) -> None:
        """Note whether a worker serves."""
        self._memory[2 + 2 * self._places + place] = serves

    @property
    def serving(self) -> int:
        """How many workers serve."""
        return sum(self._memory[2 + 2 * self._places :][: self._places])

    def say_once(self) -> bool:
        """Return whether nobody has asked this before: one worker says what all would say."""
        is_first, self._memory[-1] = not self._memory[-1], 1
        return is_first


class ParentLink:
    """What a worker has of its parent. Its file descriptor is readable when the parent is gone.

    Args:
        descriptor: The read end of a pipe that only the parent keeps open.
        board: The shared memory.
        place: Which worker this is.
        channel: Carries the numbers of this process to the parent; None if nobody wants them.

    Attributes:
        place: The same.
    """

    def __init__(
        self, descriptor: int, board: Board, place: int, channel: socket.socket | None = None
    ) -> None:
        """Note that this process needs no reload that was complete before its start.

        One that was only prepared, or asked since the fork, is still to be done here.
        """
        self._descriptor = descriptor
        self._board = board
        self.place = place
        self.channel = channel
        board.note(place, board.complete)

    def fileno(self) -> int:
        """Return the file descriptor, for `select` and event loops."""
        return self._descriptor

    def stopping(self) -> int:
        """Return how many workers stop with this one: all of them, or it alone."""
        return self._board.stopping

    def says_for_all(self) -> bool:
        """Return whether this process is the first that has to say why a server cannot start."""
        return self._board.say_once()

    def beat(self) -> None:
        """Show the parent that this process is not stuck. Call it once a second."""
        self._board.beat(self.place)

    def serves(self) -> None:
        """Tell the parent that this process serves from now on."""
        self._board.serve(self.place, serves=True)

    @property
    def asked(self) -> int:
        """The step that the parent asks of its workers."""
        return self._board.asked

    @property
    def noted(self) -> int:
        """The step that this process has taken."""
        return self._board.noted(self.place)

    def note(self, step: int) -> None:
        """Tell the parent that this process has taken a step."""
        self._board.note(self.place, step)
