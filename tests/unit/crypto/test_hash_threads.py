"""Hashes wait for their turn, and give their place back."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.core.hash_queue import Applicant, Urgency
from server.crypto.hash_threads import SIGN_UP_NICENESS, HasherBusy, HashThreads, hashing_for

HOME = Applicant("192.0.2.1")
NEWCOMER = Applicant("192.0.2.2", Urgency.SIGN_UP)


@pytest.fixture
def threads() -> Iterator[HashThreads]:
    """One thread, and three places to wait in."""
    threads = HashThreads(workers=1, queue_limit=3, per_network=16)
    yield threads
    threads.close()


class Gate:
    """Holds every hash until it is opened, and notes the order."""

    def __init__(self) -> None:
        """Begin closed."""
        self.order: list[str] = []
        self._open = threading.Event()

    def hash(self, password: str) -> Callable[[], str]:
        """Return what a thread runs."""

        def run() -> str:
            assert self._open.wait(5)
            self.order.append(password)
            return password

        return run

    def open(self) -> None:
        """Let all go."""
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


async def hash_for(threads: HashThreads, applicant: Applicant, run: Callable[[], str]) -> str:
    """Hash for somebody."""
    with hashing_for(applicant):
        return await threads.run(run)


def departing() -> "tuple[Applicant, asyncio.Future[None]]":
    """Return somebody, and what to set when they go."""
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    return Applicant("192.0.2.3", gone=gone), gone


async def started(threads: HashThreads, applicant: Applicant, run: Callable[[], str]) -> Any:
    """Begin to wait for a hash."""
    task = asyncio.create_task(hash_for(threads, applicant, run))
    await asyncio.sleep(0)
    return task


async def test_who_has_gone_gives_the_place_back_and_is_not_hashed_for(
    threads: HashThreads, gate: Gate
) -> None:
    leaver, gone = departing()
    first = await started(threads, HOME, gate.hash("first"))
    queued = await started(threads, leaver, gate.hash("queued"))
    gone.set_result(None)
    with pytest.raises(HasherBusy):
        await queued
    last = await started(threads, HOME, gate.hash("last"))
    gate.open()
    assert [await first, await last] == ["first", "last"]
    assert gate.order == ["first", "last"]


async def test_who_was_gone_before_is_not_hashed_for(threads: HashThreads, gate: Gate) -> None:
    leaver, gone = departing()
    gone.set_result(None)
    first = await started(threads, HOME, gate.hash("first"))
    with pytest.raises(HasherBusy):
        await hash_for(threads, leaver, gate.hash("queued"))
    gate.open()
    assert await first == "first"


async def test_who_goes_while_the_hash_is_computed_still_gets_it(
    threads: HashThreads, gate: Gate
) -> None:
    leaver, gone = departing()
    hashing = await started(threads, leaver, gate.hash("x"))
    gone.set_result(None)
    await asyncio.sleep(0)
    gate.open()
    assert await hashing == "x"


async def test_a_proof_goes_before_sign_ups_and_takes_a_place_of_theirs(
    threads: HashThreads, gate: Gate
) -> None:
    sign_ups = [await started(threads, NEWCOMER, gate.hash(f"new-{n}")) for n in range(4)]
    proof = await started(threads, HOME, gate.hash("ann"))
    gate.open()
    outcomes = await asyncio.gather(*sign_ups, proof, return_exceptions=True)
    assert [type(each) for each in outcomes if not isinstance(each, str)] == [HasherBusy]
    assert gate.order == ["new-0", "ann", "new-1", "new-2"]


async def test_nobody_in_particular_is_the_operator(threads: HashThreads, gate: Gate) -> None:
    """One network's places are not taken from it by another one that was hashed for before."""
    with hashing_for(NEWCOMER):
        pass
    first, second = [asyncio.create_task(threads.run(gate.hash(each))) for each in "ab"]
    await asyncio.sleep(0)
    assert set(threads._queue._held) == {""}
    gate.open()
    assert [await first, await second] == ["a", "b"]


async def test_closing_gives_up_what_waits(gate: Gate) -> None:
    threads = HashThreads(workers=1, queue_limit=3, per_network=16)
    running, waiting = [await started(threads, HOME, gate.hash(each)) for each in "ab"]
    gate.open()
    threads.close()
    assert await running == "a"
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
async def test_sign_ups_are_hashed_at_a_lower_priority(threads: HashThreads) -> None:
    def priority() -> str:
        return str(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert int(await hash_for(threads, NEWCOMER, priority)) == max(usual, SIGN_UP_NICENESS)
    assert int(await hash_for(threads, HOME, priority)) == usual
