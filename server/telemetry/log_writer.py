"""Writes lines to a file descriptor by a thread, so that no reader or disk can stop the program.

A pipe that nobody reads, a full disk and a terminal that is gone each block or refuse a write. So
whoever has a line only puts it into a queue. A thread writes what has gathered, twice a second. For
an urgent line it writes at once, and the caller waits a moment, unless writing is stuck. The queue
has a bound: lines that do not fit are counted, and where they are missing a line says how many were
lost, as soon as lines flow again.
"""

import errno
import fcntl
import os
import select
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

PAUSE_SECONDS: Final = 0.5
"""How long lines gather before they are written together."""
URGENT_SECONDS: Final = 0.05
"""How long the caller waits for an urgent line. If that was too short, nobody waits again before
the queue has been empty."""
RETRY_SECONDS: Final = 0.5
"""The time between two tries while nothing can be written."""
LIMIT_CHARACTERS: Final = 4 * 1024 * 1024
"""Some ten thousand lines for each process: a minute without a reader, at hundreds a second."""
CHUNK_BYTES: Final = select.PIPE_BUF
"""A pipe takes as much in one piece, so the lines of several processes do not mix (POSIX write)."""
PIPE_BYTES: Final = 256 * 1024
"""A pipe has room for so many bytes, if the system lets it: some hundred lines of JSON, however
they were written. Each write takes a page of it at least."""
_FOR_NOW: Final = frozenset(
    {errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
)
"""Errors that pass. After others, such as the end of a pipe's reader, the line is lost."""


class LogWriter:
    """Writes lines in order, in batches. Its thread starts with the first line.

    A forked child starts with an empty queue: the parent writes what it has queued.

    Args:
        descriptor: where to write; standard error is 2.
        tell_lost: returns the line that says how many lines were lost.
    """

    def __init__(self, descriptor: int, tell_lost: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._tell_lost = tell_lost
        self._begin()
        begin = weakref.WeakMethod(self._begin)
        os.register_at_fork(after_in_child=lambda: (again := begin()) and again())

    def enlarge_pipe(self) -> None:
        """Give a pipe more room than the 16 writes of its default, where the system can do that."""
        size = getattr(fcntl, "F_SETPIPE_SZ", None)
        if size is not None:
            with suppress(OSError):  # it is no pipe, or the user has too many large ones
                fcntl.fcntl(self._descriptor, size, PIPE_BYTES)

    def _begin(self) -> None:
        self._count_lost: Callable[[int], object] | None = None
        self._lines: deque[str] = deque()
        # Each of these is changed by one side only: the callers, or the thread.
        self._lost_full = self._lost_failed = self._told_full = self._told_failed = 0
        self._is_full = self._is_stuck = False
        self._telling = threading.Lock()
        self._queued = self._queued_characters = 0
        self._settled = self._settled_characters = 0
        self._idle, self._urgent = False, False
        self._give_up_at = float("inf")
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> int:
        """The number of lines that were not written, and will not be."""
        return self._lost_full + self._lost_failed

    def write(self, line: str, *, urgent: bool = False) -> None:
        """Queue a line, and never raise. Return at once, or very soon if it is urgent.

        Only one thread may call it at a time; a logging handler has a lock for this.

        Args:
            line: with the line break at its end.
            urgent: whether to write it now, with everything before it.
        """
        if not self._has_place():
            self._lost_full += 1
            self._note_lost(1)
            return
        if self._lost_full > self._told_full and (told := self._take_untold()):
            self._append(told)
        self._append(line)
        if self._thread is None:
            self._start()
        if urgent and not self._is_stuck:
            self._is_stuck = not self.flush(URGENT_SECONDS)
        elif urgent or self._idle:
            self._idle, self._urgent = False, self._urgent or urgent
            self._wake.set()

    def _has_place(self) -> bool:
        """Return whether the queue takes a line. A full one first empties by half."""
        waiting = self._queued_characters - self._settled_characters
        self._is_full = waiting > (LIMIT_CHARACTERS // 2 if self._is_full else LIMIT_CHARACTERS)
        return not self._is_full

    def _append(self, line: str) -> None:
        self._lines.append(line)
        self._queued += 1
        self._queued_characters += len(line)

    def _take_untold(self) -> str:
        """Return the line about what did not fit; empty if the other thread has told it."""
        with self._telling:
            untold, self._told_full = self._lost_full - self._told_full, self._lost_full
        return self._tell_lost(untold) if untold else ""

    def count_lost(self, count: Callable[[int], object]) -> None:
        """Call `count`, from any thread, with the number of lines whenever some are lost."""
        self._count_lost = count
        self._note_lost(self.lost)

    def _note_lost(self, number: int) -> None:
        if self._count_lost is not None:
            self._count_lost(number)

    def flush(self, seconds: float) -> bool:
        """Wait until the queued lines are written, or for at most so many seconds.

        Returns:
            Whether they are written, or lost.
        """
        wanted = self._queued
        if self._thread is None:
            return True
        self._urgent = True
        self._wake.set()
        with self._progress:
            return self._progress.wait_for(lambda: self._settled >= wanted, seconds)

    def finish(self, seconds: float) -> None:
        """Flush as above; lines that cannot be written by then are lost."""
        self._give_up_at = time.monotonic() + seconds
        self.flush(seconds + RETRY_SECONDS)
        self._give_up_at = float("inf")

    def _start(self) -> None:
        if sys.is_finalizing():  # a thread that starts now never runs, and would be waited for
            return
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no thread can start now; the next line tries again
            self._thread = None

    def _run(self) -> None:
        # Signals are for the main thread, whose waits they end.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            self._idle = True
            if not self._lines:  # asked after the assignment: later lines set the event
                self._wake.wait()
            self._idle = False
            self._wake.clear()
            if not self._urgent:
                self._wake.wait(PAUSE_SECONDS)
            self._urgent = False
            self._wake.clear()
            self._write_queued()

    def _write_queued(self) -> None:
        """Write what is queued now, then say what is missing."""
        for _ in range(len(self._lines)):
            chunk, number, characters = self._next_chunk()
            if number == 0:
                break
            self._put(chunk, number)
            with self._progress:
                self._settled += number
                self._settled_characters += characters
                self._progress.notify_all()
        self._is_stuck = self._is_stuck and bool(self._lines)
        if self._lost_full > self._told_full and not self._lines:  # nobody else may tell it
            self._put(self._encoded(self._take_untold()), 0)
        if (failed := self._lost_failed) > self._told_failed:
            text = self._tell_lost(failed - self._told_failed)
            if self._put(self._encoded(text), 0):
                self._told_failed = failed

    def _next_chunk(self) -> tuple[bytes, int, int]:
        """Take whole lines: as many as fit into a chunk, but at least one."""
        parts: list[bytes] = []
        size = characters = 0
        while self._lines:
            part = self._encoded(self._lines[0])
            if parts and size + len(part) > CHUNK_BYTES:
                break
            characters += len(self._lines.popleft())
            parts.append(part)
            size += len(part)
        return b"".join(parts), len(parts), characters

    def _encoded(self, line: str) -> bytes:
        return line.encode("utf-8", "backslashreplace")

    def _put(self, chunk: bytes, lines: int) -> bool:
        """Write all of the chunk, however long that takes. If it cannot be, count its lines."""
        while chunk:
            written = self._try_to_write(chunk)
            if written is None or (written == 0 and time.monotonic() > self._give_up_at):
                self._lost_failed += lines
                self._note_lost(lines)
                return False
            chunk = chunk[written:]
        return True

    def _try_to_write(self, chunk: bytes) -> int | None:
        """Return how many bytes were written; None if no later try would help."""
        try:
            return os.write(self._descriptor, chunk) if self._has_room() else 0
        except OSError as error:
            if error.errno not in _FOR_NOW:
                return None
            time.sleep(RETRY_SECONDS)
            return 0

    def _has_room(self) -> bool:
        """Wait until a write would not block, but not for long: a stop must be noticed."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(1000 * RETRY_SECONDS))
