"""The threads in which passwords are hashed: whoever wants a hash waits here for its turn.

`HashQueue` decides whose turn it is. This file has the threads, the futures and the priorities.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from server.core.errors import SessionError
from server.core.hash_queue import OPERATOR, Applicant, HashQueue, QueueFull, Urgency

_T = TypeVar("_T")

SIGN_UP_NICENESS: Final = 5
"""Sign-ups get about a quarter of a processor that others want, too. In a flood of sign-ups, this
keeps sign-ins and the event loop as fast as they were."""


class HasherBusy(SessionError):
    """Too many passwords wait to be hashed, or the client has gone away before its turn.

    This says nothing about whether a password is right.
    """

    def __str__(self) -> str:
        return "too many passwords are waiting to be hashed"


_applicant: ContextVar[Applicant] = ContextVar("applicant", default=OPERATOR)


@contextmanager
def hashing_for(applicant: Applicant) -> Iterator[None]:
    """Say for whom passwords are hashed in this block.

    It goes with the task and not through arguments, so that an application's own accounts need not
    know of it.
    """
    before = _applicant.set(applicant)
    try:
        yield
    finally:
        _applicant.reset(before)


@dataclass(slots=True, eq=False)
class _Work:
    """A hash to compute.

    Attributes:
        compute: computes it, in a thread.
        urgency: which threads compute it.
        result: what the caller waits for.
    """

    compute: Callable[[], Any]
    urgency: Urgency
    result: "asyncio.Future[Any]"


class HashThreads:
    """Runs hashes in threads, a limited number at a time.

    Args:
        workers: hashes at the same time.
        queue_limit: hashes that may wait besides.
        per_network: hashes of one network that may run or wait.
    """

    def __init__(self, workers: int, queue_limit: int, per_network: int) -> None:
        self._threads = {
            Urgency.PROOF: ThreadPoolExecutor(workers, "argon2id"),
            Urgency.SIGN_UP: ThreadPoolExecutor(workers, "argon2id-sign-up", _give_way),
        }
        self._queue: HashQueue[_Work] = HashQueue(workers, queue_limit, per_network)
        self._count_refused: Callable[[], object] = lambda: None

    def count_refused(self, count: Callable[[], object]) -> None:
        """Call `count` for each hash that finds no place, or loses it to others."""
        self._count_refused = count

    @property
    def running(self) -> int:
        """How many hashes are computed now."""
        return self._queue.running

    @property
    def waiting(self) -> int:
        """How many hashes wait for their turn."""
        return self._queue.waiting

    async def run(self, compute: Callable[[], _T]) -> _T:
        """Wait for the turn of the present applicant, and run a function in a thread.

        Raises:
            HasherBusy: the queue is full, or the applicant has gone.
        """
        applicant = _applicant.get()
        work = _Work(compute, applicant.urgency, asyncio.get_running_loop().create_future())
        entered = self._queue.enter(work, applicant)
        if isinstance(entered, QueueFull):
            self._count_refused()
            raise HasherBusy
        if entered.displaced is not None:
            self._count_refused()
            _refuse(entered.displaced)
        self._start()
        leave = partial(self._leave, work)
        if applicant.gone is not None:
            applicant.gone.add_done_callback(leave)
        try:
            result: _T = await work.result
            return result
        finally:
            self._queue.leave(work)
            if applicant.gone is not None:
                applicant.gone.remove_done_callback(leave)

    def close(self) -> None:
        """Wait for running hashes; cancel those not started, and the tasks that await them."""
        for work in self._queue.clear():
            work.result.cancel()
        for threads in self._threads.values():
            threads.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        """Start what has its turn, as long as a thread is free."""
        while work := self._queue.take():
            self._threads[work.urgency].submit(self._hash, work, asyncio.get_running_loop())

    def _hash(self, work: _Work, loop: asyncio.AbstractEventLoop) -> None:
        """Do the work, in a thread, and call the loop: one turn of it gives the caller the result.

        asyncio's wrapped futures would take three, each with what a hash leaves of the caches.
        """
        try:
            settle = partial(work.result.set_result, work.compute())
        except Exception as error:  # noqa: BLE001 it is the caller's
            settle = partial(work.result.set_exception, error)
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(self._finish, work, settle)

    def _finish(self, work: _Work, settle: Callable[[], None]) -> None:
        """Free the place of work that is done: a caller that gives up leaves a busy thread."""
        self._queue.finish(work)
        if not work.result.done():  # its caller has not given up
            settle()
        self._start()

    def _leave(self, work: _Work, _: object) -> None:
        """Nobody waits for the answer any more. What a thread has begun, it ends."""
        if self._queue.leave(work):
            _refuse(work)


def _give_way() -> None:
    """Lower the priority of this thread, where the system can do that."""
    if sys.platform == "linux":  # elsewhere a priority is the process's, not a thread's
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), SIGN_UP_NICENESS)


def _refuse(work: _Work) -> None:
    if not work.result.done():
        work.result.set_exception(HasherBusy())
