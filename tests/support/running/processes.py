"""What tests ask about real processes: which run, and whether something has become true."""

import subprocess
from pathlib import Path

from curfew.testing.waiting import PATIENCE_SECONDS, POLL_SECONDS, eventually

__all__ = ["PATIENCE_SECONDS", "POLL_SECONDS", "eventually", "lives", "processes_of"]


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
