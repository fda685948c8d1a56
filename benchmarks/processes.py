"""What processes cost, as the system counts it: CPU time and memory."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LINUX: Final = sys.platform == "linux"
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


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
        # The clock of a process, as clock_getcpuclockid(3) makes it: it counts nanoseconds, where
        # /proc counts hundredths of a second, of which a short round may take none.
        return time.clock_gettime(~pid << 3 | 2)
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
