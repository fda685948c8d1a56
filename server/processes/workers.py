"""The worker processes: one parent forks them, and starts them again when they die or hang."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from server.processes.restarts import RestartPlan
from server.processes.signals import SignalInbox

log = logging.getLogger(__name__)

PARENT_ONLY = (signal.SIGINT, signal.SIGHUP)
"""A terminal sends these to the whole process group. Only the parent acts on them, by SIGTERM."""


@dataclass
class _Slot:
    pid: int | None = None
    killed: bool = False
    plan: RestartPlan = field(default_factory=RestartPlan)


class Workers:
    """A fixed number of forked processes.

    Args:
        count: The number of processes.
        work: What each process runs. A return is exit status 0; SystemExit may give another one.
        inbox: The parent's signals, from which a worker detaches.
        on_start: Called in the parent with the place and the process id of each new worker.

    Attributes:
        place: In a worker, which of them it is, counted from 0; None in the parent.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[], None],
        inbox: SignalInbox,
        on_start: Callable[[int, int], object] = lambda _place, _pid: None,
    ) -> None:
        """Prepare. Nothing is forked yet."""
        self._on_start = on_start
        self._slots = [_Slot() for _ in range(count)]
        self._work = work
        self._inbox = inbox
        self.place: int | None = None

    @property
    def pids(self) -> list[int]:
        """The processes that were started and are not known to have exited."""
        return [slot.pid for slot in self._slots if slot.pid is not None]

    @property
    def places(self) -> dict[int, int]:
        """The place of each of these processes, by process id."""
        return {slot.pid: place for place, slot in enumerate(self._slots) if slot.pid is not None}

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the next worker is due to start; None while all of them run."""
        waits = [slot.plan.seconds_left for slot in self._slots]
        return min((wait for wait in waits if wait is not None), default=None)

    def start_due(self) -> None:
        """Start every worker that is due."""
        for place, slot in enumerate(self._slots):
            if slot.plan.is_due:
                self._start(place, slot)

    def was_killed(self, pid: int) -> bool:
        """Return whether a worker that is not known to have exited was killed here."""
        return any(slot.pid == pid and slot.killed for slot in self._slots)

    def exited(self, pid: int) -> bool:
        """Note that a child of this process is gone.

        Args:
            pid: The child's process id.

        Returns:
            Whether the child was a worker.
        """
        for slot in self._slots:
            if slot.pid == pid:
                slot.pid, slot.killed = None, False
                slot.plan.died()
                return True
        return False

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to all workers."""
        for pid in self.pids:
            # No other process gets this id before the parent has waited for the child.
            os.kill(pid, signum)

    def kill(self, pid: int) -> bool:
        """Kill a worker, also one that is stopped. It is started again when it is gone.

        Args:
            pid: One of `pids`.

        Returns:
            Whether this is the first time.
        """
        slot = self._slots[self.places[pid]]
        first, slot.killed = not slot.killed, True
        os.kill(pid, signal.SIGKILL)
        return first

    def _start(self, place: int, slot: _Slot) -> None:
        try:
            slot.pid = self._fork(place)
        except OSError as error:
            log.error("cannot fork a worker: %s", error)  # noqa: TRY400 the reason is the message
            slot.plan.died()
        else:
            slot.plan.started()
            self._on_start(place, slot.pid)

    def _fork(self, place: int) -> int:
        _flush()  # Else both processes would print what is still buffered.
        with self._inbox.held() as mask:
            pid = os.fork()
            if pid == 0:
                self.place = place
                self._become_worker(mask)
        return pid

    def _become_worker(self, mask: set[signal.Signals]) -> NoReturn:
        status = os.EX_SOFTWARE
        try:
            self._inbox.abandon()
            for each in PARENT_ONLY:
                signal.signal(each, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._work()
            status = os.EX_OK
        except SystemExit as leaving:
            status = _status_of(leaving)
        except BaseException:  # in this process nothing may return to the parent's code
            log.critical("a worker failed", exc_info=True)
        finally:
            _exit_without_cleanup(status)


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None:
        return os.EX_OK
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _exit_without_cleanup(status: int) -> NoReturn:
    logging.shutdown()  # writes what is still queued
    _flush()
    os._exit(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A reader that is gone must not keep a worker from starting or ending.
        with suppress(OSError, ValueError):
            stream.flush()


def exited_children() -> Iterator[tuple[int, int]]:
    """Yield the process id and the exit status of each child that has exited."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)
