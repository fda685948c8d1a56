"""The parent process: starts the store and the workers, brings back what dies, stops in order.

It is synchronous and has no threads and no event loop, because it forks, and because the process
that repairs the others must have nothing in it that can hang. Whatever ends it, kill -9 included,
ends the rest too: workers and store each see the end of a pipe that only this process holds.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from server.embedded.store import EmbeddedStore, StoreStartFailed
from server.processes.lock import AlreadyRunning, locked_folder
from server.processes.restarts import RestartPlan
from server.processes.signals import SignalInbox
from server.processes.workers import Workers

__all__ = ["AlreadyRunning", "supervise"]

log = logging.getLogger(__name__)

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

STOP_SECONDS = 40.0
"""What workers get to finish; longer than the drain and hold times they keep themselves."""

KILL_SECONDS = 5.0
"""What a killed worker gets to vanish; only one stuck in the kernel needs as much."""

Serve = Callable[[list[socket.socket], int], None]


def supervise(
    *,
    data_dir: Path,
    embedded: bool,
    processes: int,
    bind: Callable[[], list[socket.socket]],
    serve: Serve,
    announce: Callable[[], None],
) -> int:
    """Serve from a data folder until a signal says to stop.

    SIGTERM, SIGINT and SIGHUP let the workers finish; a SIGINT while they do kills them. The store
    is stopped last in any case.

    Args:
        data_dir: The folder that this server has to itself.
        embedded: Whether to run the embedded store in it.
        processes: The number of workers.
        bind: Opens the listening sockets, once; all workers accept from them.
        serve: What a worker runs, with the sockets and a file descriptor whose end of file says
            that the parent is gone. Exit status 78 (EX_CONFIG) stops the whole server.
        announce: Called once when the workers have been forked.

    Returns:
        The exit status: 0 after a signal, 78 when a worker found the configuration unusable.

    Raises:
        AlreadyRunning: When another server holds the folder.
        StoreStartFailed: When the embedded store does not come up.
    """
    with locked_folder(data_dir), _sigterm_as_interrupt():
        store = EmbeddedStore(data_dir) if embedded else None
        try:
            if store is not None:
                store.start()
            return _Supervision(store, processes, bind(), serve).run(announce)
        except KeyboardInterrupt:
            return os.EX_OK
        finally:
            if store is not None:
                store.stop()


class _Supervision:
    """The time between the first fork and the end of the last worker."""

    def __init__(
        self,
        store: EmbeddedStore | None,
        processes: int,
        sockets: list[socket.socket],
        serve: Serve,
    ) -> None:
        self._store = store
        self._store_plan = RestartPlan()
        self._store_plan.started()
        self._sockets = sockets
        self._serve = serve
        self._life_read, self._life_write = os.pipe()
        self._inbox = SignalInbox(signal.SIGCHLD, *STOP_SIGNALS)
        self._workers = Workers(processes, self._work, self._inbox)

    def run(self, announce: Callable[[], None]) -> int:
        with self._inbox:
            try:
                self._workers.start_due()
                announce()
                return self._watch()
            finally:
                self._stop_workers()
                self._stop_store()
                os.close(self._life_read)
                os.close(self._life_write)

    def _watch(self) -> int:
        while True:
            woken = self._inbox.wait(self._seconds_left())
            if STOP_SIGNALS.intersection(woken.signals):
                return os.EX_OK
            for pid, status in self._reap():
                if status == os.EX_CONFIG:
                    return os.EX_CONFIG
                log.warning("worker %d is gone (status %d), starting another", pid, status)
            self._workers.start_due()
            self._revive_store()

    def _seconds_left(self) -> float | None:
        waits = (self._workers.seconds_left, self._store_plan.seconds_left)
        return min((wait for wait in waits if wait is not None), default=None)

    def _reap(self) -> list[tuple[int, int]]:
        """Take note of every child that is gone, and return the workers among them."""
        workers = []
        for pid, status in _gone_children():
            if self._workers.exited(pid):
                workers.append((pid, status))
            elif self._store is not None and self._store.exited(pid):
                log.warning("the guard of the embedded store is gone (status %d)", status)
                self._store_plan.died()
        return workers

    def _revive_store(self) -> None:
        # Only spawned, not waited for: the workers bear an outage, this loop must not stand still.
        if self._store is None or not self._store_plan.is_due:
            return
        self._store_plan.started()
        try:
            self._store.spawn()
        except StoreStartFailed:
            log.exception("the embedded store cannot be started again yet")
            self._store_plan.died()

    def _stop_workers(self) -> None:
        self._close_sockets()
        self._workers.send(signal.SIGTERM)
        self._await_workers(STOP_SECONDS, hurry_on=signal.SIGINT)
        self._workers.send(signal.SIGKILL)
        self._await_workers(KILL_SECONDS)

    def _await_workers(self, seconds: float, hurry_on: signal.Signals | None = None) -> None:
        deadline = time.monotonic() + seconds
        self._reap()
        while self._workers.pids and time.monotonic() < deadline:
            woken = self._inbox.wait(max(0.0, deadline - time.monotonic()))
            self._reap()
            if hurry_on in woken.signals:
                return

    def _stop_store(self) -> None:
        # Here, not only in the caller, so that no signal can interrupt it.
        if self._store is not None:
            self._store.stop()

    def _close_sockets(self) -> None:
        # The workers have their own copies; with ours open, a connection that none of them accepts
        # any more would wait instead of being refused.
        for each in self._sockets:
            each.close()

    def _work(self) -> None:
        """Run in a worker: let go of what only the parent may hold, then serve."""
        os.close(self._life_write)
        if self._store is not None:
            self._store.abandon()
        self._serve(self._sockets, self._life_read)


def _gone_children() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the start like Ctrl-C: as process 1 of a container it would be ignored."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
