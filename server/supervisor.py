"""The parent process: starts the store and the workers, restarts them, and stops them in order.

It is synchronous, without an event loop, because it forks, and because nothing in the process that
restarts the others may block. Only its log lines are written by a thread. Whatever ends it, kill -9
included, ends the others too: the workers and the store each see the end of a pipe that only this
process keeps open.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from server.embedded.store import STOP_SECONDS as STORE_STOP_SECONDS
from server.embedded.store import EmbeddedStore, StoreStartFailed
from server.processes.board import Board, ParentLink
from server.processes.lock import AlreadyRunning, FolderUnusable, locked_folder
from server.processes.observing import WorkerObserver
from server.processes.reloads import Reload, Reloads
from server.processes.restarts import RestartPlan
from server.processes.service_manager import ServiceManager
from server.processes.signals import SignalInbox, signals_while_starting
from server.processes.watchdog import Watchdog
from server.processes.workers import Workers, exited_children

__all__ = ["AlreadyRunning", "FolderUnusable", "Reload", "supervise"]

log = logging.getLogger(__name__)

STOP_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})

STOP_SECONDS = 40.0
"""How long workers may take to finish, unless the caller knows it better."""

KILL_SECONDS = 5.0
"""How long a killed worker may take to exit; only one that is stuck in the kernel needs it."""

Serve = Callable[[list[socket.socket], ParentLink], None]


def supervise(
    *,
    data_dir: Path,
    embedded: bool,
    processes: int,
    bind: Callable[[], list[socket.socket]],
    serve: Serve,
    announce: Callable[[], None],
    reload: Reload | None = None,
    watchdog: float | None = None,
    observer: WorkerObserver | None = None,
    stop_seconds: float = STOP_SECONDS,
    manager: ServiceManager | None = None,
    needs_folder: bool = True,
    finish: Callable[[], None] | None = None,
) -> int:
    """Serve from a data folder until a signal says to stop.

    SIGTERM and SIGINT let the workers finish; another one kills them. The store always stops last.
    SIGHUP reloads, and never ends anything.

    Args:
        data_dir: the data folder, which no other server may use.
        embedded: whether to run the embedded store in it.
        processes: the number of workers.
        bind: opens the listening sockets, once; all workers accept from them.
        serve: runs in each worker, with the sockets and what connects it with the parent. Exit
            status 78 (EX_CONFIG) stops the whole server.
        announce: called once, when the workers have been forked.
        reload: called after a SIGHUP.
        watchdog: seconds after which a worker without a heartbeat is killed and replaced; None for
            never.
        observer: follows the workers.
        stop_seconds: how long workers may take to finish; longer than their own limits.
        manager: is told what the server does; None if nobody is.
        needs_folder: whether to refuse a folder that cannot be used. If not, the server runs
            without one, and no lock keeps another server from doing the same.
        finish: called once when all workers are gone, while the store still runs.

    Returns:
        The exit status: 0 after a signal, 78 if a worker could not use the configuration.

    Raises:
        AlreadyRunning: another server uses the folder.
        FolderUnusable: this user cannot write in the folder.
        StoreStartFailed: the embedded store did not start.
    """
    manager = manager or ServiceManager()
    folder = locked_folder(data_dir, required=embedded or needs_folder)
    with signals_while_starting(STOP_SIGNALS), suppress(KeyboardInterrupt), folder:
        store = EmbeddedStore(data_dir) if embedded else None
        try:
            if store is not None:
                store.start()
            workers = _Supervision(
                store,
                processes,
                bind(),
                serve,
                reload,
                watchdog,
                observer,
                manager,
                stop_seconds,
                finish,
            )
            return workers.run(announce)
        finally:
            if store is not None:
                store.stop()
    return os.EX_OK


class _Supervision:
    """Runs the workers, from the first fork to the exit of the last worker."""

    def __init__(
        self,
        store: EmbeddedStore | None,
        processes: int,
        sockets: list[socket.socket],
        serve: Serve,
        reload: Reload | None,
        watchdog: float | None,
        observer: WorkerObserver | None,
        manager: ServiceManager,
        stop_seconds: float,
        finish: Callable[[], None] | None,
    ) -> None:
        self._store = store
        self._store_plan = RestartPlan()
        self._store_plan.started()
        self._sockets = sockets
        self._serve = serve
        self._life_read, self._life_write = os.pipe()
        self._inbox = SignalInbox(signal.SIGCHLD, signal.SIGHUP, *STOP_SIGNALS)
        self._board = Board(processes)
        self._watchdog = Watchdog(watchdog)
        self._observer = observer
        self._manager = manager
        self._stop_seconds = stop_seconds
        self._finish = finish
        self._processes = processes
        self._workers = Workers(processes, self._work, self._inbox, self._observe_start)
        self._reloads = Reloads(reload, self._board, self._workers)

    def run(self, announce: Callable[[], None]) -> int:
        with self._inbox:
            try:
                if self._observer is not None:
                    self._observer.prepare(self._processes)
                self._workers.start_due()
                if self._observer is not None:
                    self._observer.begin()
                announce()
                return self._watch()
            finally:
                self._stop_workers()
                if self._finish is not None:
                    self._finish()
                if self._observer is not None:
                    self._observer.finish()
                self._stop_store()
                os.close(self._life_read)
                os.close(self._life_write)

    def _watch(self) -> int:
        while True:
            woken = self._inbox.wait(self._seconds_left())
            if STOP_SIGNALS.intersection(woken.signals):
                return os.EX_OK
            if signal.SIGHUP in woken.signals:
                self._manager.reloading()
                self._reloads.begin()
            for pid, status in self._reap():
                if status == os.EX_CONFIG:
                    return os.EX_CONFIG
                log.warning("worker %d exited (status %d), starting another", pid, status)
            mends_itself = self._kill_hanging()
            self._reloads.advance()
            self._workers.start_due()
            self._restart_store()
            self._tell_manager(mends_itself=mends_itself)

    def _seconds_left(self) -> float | None:
        waits = (
            self._workers.seconds_left,
            self._store_plan.seconds_left,
            self._watchdog.seconds_left,
            self._reloads.seconds_left,
            self._manager.seconds_left,
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def _reap(self) -> list[tuple[int, int]]:
        """Collect every child that exited, and return the workers among them with their status."""
        workers = []
        for pid, status in exited_children():
            self._observe_end(pid, status)
            if self._workers.exited(pid):
                workers.append((pid, status))
            elif self._store is not None and self._store.exited(pid):
                log.warning("the guard of the embedded store exited (status %d)", status)
                self._store_plan.died()
        return workers

    def _observe_start(self, place: int, pid: int) -> None:
        if self._observer is not None:
            self._observer.started(place, pid)

    def _observe_end(self, pid: int, status: int) -> None:
        place = self._workers.places.get(pid)
        if place is None:
            return
        self._board.serve(place, serves=False)
        if self._observer is None:
            return
        why = "exit" if status == os.EX_OK else "crash"
        self._observer.ended(place, "hang" if self._workers.was_killed(pid) else why)

    def _kill_hanging(self) -> bool:
        """Kill the workers that hang; return whether another one runs, or none does."""
        beats = {pid: self._board.beats(place) for pid, place in self._workers.places.items()}
        hanging = self._watchdog.look(beats)
        for pid in hanging:
            if self._workers.kill(pid):
                log.error("worker %d hangs: it is stopped or stuck. It is killed", pid)
        return not beats or len(hanging) < len(beats)

    def _tell_manager(self, *, mends_itself: bool) -> None:
        self._manager.look(
            serving=self._board.serving,
            workers=self._processes,
            alive=mends_itself,
            reloading=self._reloads.seconds_left is not None,
        )

    def _restart_store(self) -> None:
        # It is spawned and not waited for: workers survive an outage, but this loop must not block.
        if self._store is None or not self._store_plan.is_due:
            return
        self._store_plan.started()
        try:
            self._store.spawn()
        except StoreStartFailed:
            log.exception("the embedded store cannot be restarted yet")
            self._store_plan.died()

    def _stop_workers(self) -> None:
        self._close_sockets()
        self._board.stop()
        self._manager.stopping(self._stop_seconds + KILL_SECONDS + STORE_STOP_SECONDS)
        self._workers.send(signal.SIGTERM)
        self._await_workers(self._stop_seconds, interrupts=STOP_SIGNALS)
        self._workers.send(signal.SIGKILL)
        self._await_workers(KILL_SECONDS)

    def _await_workers(
        self, seconds: float, interrupts: frozenset[signal.Signals] = frozenset()
    ) -> None:
        deadline = time.monotonic() + seconds
        self._reap()
        while self._workers.pids and time.monotonic() < deadline:
            left = max(0.0, deadline - time.monotonic())
            looks = self._watchdog.seconds_left, self._manager.seconds_left
            woken = self._inbox.wait(min([left, *(look for look in looks if look is not None)]))
            if self._kill_hanging():
                self._manager.feed_while_stopping()
            self._reap()
            if interrupts.intersection(woken.signals):
                return

    def _stop_store(self) -> None:
        # Also here, and not only in the caller, so that no signal can interrupt it.
        if self._store is not None:
            self._store.stop()

    def _close_sockets(self) -> None:
        # The workers have copies of their own. While ours are open, a connection that no worker
        # accepts any more would wait instead of being refused.
        for each in self._sockets:
            each.close()

    def _work(self) -> None:
        """Run in a worker: close what only the parent may keep open, then serve."""
        os.close(self._life_write)
        if self._store is not None:
            self._store.abandon()
        place = self._workers.place
        assert place is not None  # noqa: S101 for the type checker; this is a worker
        channel = None if self._observer is None else self._observer.enter_worker(place)
        self._serve(self._sockets, ParentLink(self._life_read, self._board, place, channel))
