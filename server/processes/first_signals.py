"""The signals of a program's first second, in which it only imports its modules.

The kernel gives process 1, as in a container, no signal that it has no handler for: a SIGTERM would
be lost. Nothing is open yet, so the program just leaves. This module imports nothing that takes
time, and nothing else of Curfew.
"""

import os
import signal
from types import FrameType


def handle_first_signals(*, serves: bool) -> None:
    """Act on signals until the program has handlers of its own.

    A server that is told to stop before it has begun ends well, and SIGHUP never ends it. Any other
    program keeps its handlers, unless it is process 1.

    Args:
        serves: Whether this process is about to serve.
    """
    status = os.EX_OK if serves else None

    def leave(signum: int, _: FrameType | None) -> None:
        os._exit(128 + signum if status is None else status)

    if serves or os.getpid() == 1:
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
    if serves and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, ignore)
    # Whoever starts Python with these signals blocked (`env --block-signal`) loses none of them
    # while Python itself starts: the kernel keeps them, also for process 1.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})


def ignore(signum: int, frame: FrameType | None) -> None:
    """Do nothing. Unlike SIG_IGN, this is not inherited by the programs that are started."""
