"""Wait until something is true, and no longer."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.02

Answer = TypeVar("Answer")


def eventually(question: Callable[[], Answer], seconds: float = PATIENCE_SECONDS) -> Answer:
    """Ask until the answer is true, and return it.

    Args:
        question: what to ask.
        seconds: how long to ask.

    Raises:
        AssertionError: the answer stayed false.
    """
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"still {answer!r} after {seconds} s")
        time.sleep(POLL_SECONDS)
    return answer
