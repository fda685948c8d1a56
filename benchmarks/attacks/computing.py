"""How much a server computes, whoever else wants the machine's cores meanwhile."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NANOSECONDS: Final = 1e9


class LoopClock:
    """The processor time of a process's first thread, in which its event loop is.

    Linux tells a process's time to the nanosecond, but that of a thread only as it was at the last
    tick. So the time of the other threads, which hash passwords, is taken off the whole.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self._clock = (~pid << 3) | 2  # of clock_getcpuclockid(3)
        self._threads = Path(f"/proc/{pid}/task")
        self._pid = pid

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the process, and let it go on."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    def seconds(self) -> float:
        """Return the time so far."""
        return time.clock_gettime(self._clock) - sum(
            int((each / "schedstat").read_text().split()[0]) / NANOSECONDS
            for each in self._threads.iterdir()
            if each.name != str(self._pid)
        )
