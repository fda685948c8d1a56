"""Signals are read in order and interrupt nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from server.processes.signals import SignalInbox, Wakeup, blocked

ONE, TWO = signal.SIGUSR1, signal.SIGUSR2
NOTHING = Wakeup((), readable=False)


@pytest.fixture
def inbox() -> Iterator[SignalInbox]:
    """Collects two signals."""
    with SignalInbox(ONE, TWO) as inbox:
        yield inbox


def test_signals_are_read_in_order_and_once(inbox: SignalInbox) -> None:
    for each in (TWO, ONE, TWO):
        signal.raise_signal(each)
    assert inbox.wait(0) == Wakeup((TWO, ONE, TWO), readable=False)
    assert inbox.wait(0) == NOTHING


def test_a_signal_ends_a_wait_that_has_no_limit() -> None:
    with SignalInbox(signal.SIGALRM) as inbox:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert inbox.wait() == Wakeup((signal.SIGALRM,), readable=False)


def test_a_wait_ends_with_what_can_be_read(inbox: SignalInbox) -> None:
    read, write = os.pipe()
    try:
        assert inbox.wait(0, also=read) == NOTHING
        os.write(write, b"x")
        assert inbox.wait(also=read) == Wakeup((), readable=True)
        os.read(read, 1)
        assert inbox.wait(0, also=read) == NOTHING
    finally:
        os.close(write)
    assert inbox.wait(also=read) == Wakeup((), readable=True)
    os.close(read)


def test_handlers_are_restored() -> None:
    seen: list[int] = []
    before = signal.signal(ONE, lambda number, _: seen.append(number))
    try:
        with SignalInbox(ONE, TWO):
            signal.raise_signal(ONE)
        assert seen == []
        signal.raise_signal(ONE)
        assert seen == [ONE]
        assert signal.getsignal(TWO) is signal.SIG_DFL
    finally:
        signal.signal(ONE, before)


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with SignalInbox(signal.SIGHUP, ONE) as inbox:
            signal.raise_signal(signal.SIGHUP)
            assert inbox.wait(0) == NOTHING
    finally:
        signal.signal(signal.SIGHUP, before)


def test_held_signals_come_afterwards(inbox: SignalInbox) -> None:
    with inbox.held() as former:
        assert former == signal.pthread_sigmask(signal.SIG_BLOCK, ()) - {ONE, TWO}
        signal.raise_signal(ONE)
        assert inbox.wait(0) == NOTHING
    assert inbox.wait(0) == Wakeup((ONE,), readable=False)


def test_a_blocked_signal_comes_afterwards_and_programs_inherit_the_block(
    inbox: SignalInbox,
) -> None:
    with blocked(ONE):
        signal.raise_signal(ONE)
        assert inbox.wait(0) == NOTHING
        program = "import signal; print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))"
        started = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        assert started.stdout == b"1\n"
    assert inbox.wait(0) == Wakeup((ONE,), readable=False)
