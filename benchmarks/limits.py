"""What the system must allow: thousands of sockets need as many open files."""

import resource
from typing import Final

SPARE: Final = 600
"""Files that a server or the load generator needs beside its sockets."""


def raise_open_files() -> None:
    """Allow this process, and those that it starts, as many open files as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def flaw_of_open_files(sockets: int) -> str:
    """Return what is missing for so many sockets; empty if nothing is."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Curfew gives nine tenths of its files to sockets.
    needed = sockets * 10 // 9 + SPARE
    if soft in {resource.RLIM_INFINITY, -1} or soft >= needed:
        return ""
    return (
        f"{sockets} sockets need {needed} open files in a process, and only {soft} are allowed: "
        f"run `ulimit -n {needed}` first."
    )
