"""What tests ask about real processes: which run, and whether something has become true."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.02

T = TypeVar("T")


def eventually(question: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is true, and return it; fail the test when it stays false."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(POLL_SECONDS)
    return answer


def processes_of(folder: Path, name: str = "") -> list[int]:
    """List living processes whose command line names the folder, and also `name` if given."""
    return [pid for pid, command in _living().items() if str(folder) in command and name in command]


def lives(pid: int) -> bool:
    """Tell whether a process lives; one that only waits to be reaped does not."""
    return pid in _living()


def _living() -> dict[int, str]:
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,stat=,command="], capture_output=True, text=True, check=True
    ).stdout
    lines = (line.split(None, 2) for line in listing.splitlines())
    found = (line for line in lines if len(line) == 3)
    return {int(pid): command for pid, state, command in found if not state.startswith("Z")}
