"""Signals as data: they end a wait and are read in order, instead of interrupting the code.

`signal.sigtimedwait` would be shorter, but macOS lacks it. A pipe and `select` work everywhere.
"""

import os
import select
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self

from server.processes.first_signals import ignore

READ_AT_ONCE = 4096
"""More signals than arrive between two waits. The next wait would read the rest."""


class Wakeup(NamedTuple):
    """Why a wait ended: by signals, because `also` can be read, or neither when its time was up."""

    signals: tuple[int, ...]
    readable: bool


class SignalInbox:
    """Collects signals while its context is open.

    Args:
        signals: The signals to collect. The others keep their handlers.
    """

    def __init__(self, *signals: signal.Signals) -> None:
        """Note what to collect. Nothing is installed yet."""
        self._signals = signals
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Install the handlers. Python allows it in the main thread only."""
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._former_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._former = {each: signal.signal(each, _noted) for each in self._wanted()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the former handlers."""
        for each, handler in self._former.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(self._former_fd)
        self._close()

    def wait(self, seconds: float | None = None, *, also: int | None = None) -> Wakeup:
        """Wait for a signal, or until a file descriptor can be read.

        Args:
            seconds: The longest wait; None for no limit.
            also: A file descriptor that ends the wait when it is readable or at its end of file.

        Returns:
            The signals that arrived, oldest first, and whether `also` is readable.
        """
        watched = [self._read_end] if also is None else [self._read_end, also]
        ready, _, _ = select.select(watched, [], [], seconds)
        return Wakeup(self._read() if self._read_end in ready else (), also in ready)

    @contextmanager
    def held(self) -> Iterator[set[signal.Signals]]:
        """Block the signals, so that around a fork none of them reaches the wrong process.

        Yields:
            The former signal mask, which the child restores.
        """
        former = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        try:
            yield {signal.Signals(each) for each in former}
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)

    def abandon(self) -> None:
        """Detach in a forked child, so that its signals are not written to the parent's pipe."""
        signal.set_wakeup_fd(-1)
        for each in self._former:
            signal.signal(each, signal.SIG_DFL)
        self._close()

    def _wanted(self) -> list[signal.Signals]:
        # nohup makes the process ignore SIGHUP, and it must continue to do so.
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        return [each for each in self._signals if not (ignored and each is signal.SIGHUP)]

    def _read(self) -> tuple[int, ...]:
        return tuple(os.read(self._read_end, READ_AT_ONCE))

    def _close(self) -> None:
        os.close(self._read_end)
        os.close(self._write_end)


@contextmanager
def blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block signals in this thread, and in the programs that it starts meanwhile.

    Args:
        signals: Which. One that comes meanwhile is delivered afterwards.
    """
    former = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def signals_while_starting(stop: Iterable[signal.Signals]) -> Iterator[None]:
    """Let signals stop a start in order, as `KeyboardInterrupt`. Let SIGHUP end nothing.

    A SIGHUP that is ignored already, by `nohup`, stays so.

    Args:
        stop: Signals that stop it.
    """
    wanted: dict[signal.Signals, Any] = dict.fromkeys(stop, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        wanted[signal.SIGHUP] = ignore
    former = {signum: signal.signal(signum, handler) for signum, handler in wanted.items()}
    try:
        yield
    finally:
        for signum, handler in former.items():
            signal.signal(signum, handler)


def _noted(signum: int, frame: FrameType | None) -> None:
    """Do nothing: the signal's number is in the pipe before Python calls a handler."""
