"""What processes cost, as the system counts it: CPU time and memory."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform == "linux"
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
TICKS: Final = os.sysconf("SC_CLK_TCK")
"""CPU time is counted in these parts of a second: a round takes far longer."""


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the CPU time that processes have used so far, in user code and in the kernel."""
    return sum(_cpu_seconds(pid) for pid in pids)


def resident_bytes(pids: Sequence[int]) -> int:
    """Return the memory that processes occupy now."""
    return sum(_resident_bytes(pid) for pid in pids)


def descendants(pid: int, word: str) -> list[int]:
    """Return the processes under a process whose command line contains a word, oldest first."""
    rows = _ps("-A", "-o", "pid=,ppid=,command=").splitlines()
    table = [(int(row.split()[0]), int(row.split()[1]), row) for row in rows if row.strip()]
    below, found = {pid}, []
    for each, parent, row in sorted(table):
        if parent in below:
            below.add(each)
            if word in row:
                found.append(each)
    return found


def _cpu_seconds(pid: int) -> float:
    if LINUX:
        # The name in brackets may hold anything; user and system time are the 12th and 13th after.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    seconds = 0.0
    for part in _ps("-p", str(pid), "-o", "time=").strip().replace("-", ":").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _resident_bytes(pid: int) -> int:
    if LINUX:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    return int(_ps("-p", str(pid), "-o", "rss=")) * 1024


def _ps(*arguments: str) -> str:
    done = subprocess.run(["/bin/ps", *arguments], capture_output=True, text=True, check=True)
    return done.stdout
