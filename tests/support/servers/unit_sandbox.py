"""Runs a command as a systemd unit confines it, as far as this is possible without systemd.

`python -m tests.support.servers.unit_sandbox UNIT COMMAND ...` applies the filter of system calls,
no memory that is both written and run, and no new rights.
"""

import ctypes
import ctypes.util
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | errno.EPERM
NO_NEW_PRIVILEGES: Final = 38
NO_WRITE_AND_EXECUTE: Final = 65
REFUSE_EXECUTE_GAIN: Final = 1


def values(unit: Path, name: str) -> list[str]:
    """Return what a unit gives to a setting, line by line."""
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def calls_of(group: str) -> Iterator[str]:
    """Yield the system calls of a group such as `@system-service`."""
    ran = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    for line in ran.stdout.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            yield from calls_of(name)
        elif name and not name.startswith("#"):
            yield name


def allowed_calls(unit: Path) -> set[str]:
    """Return the system calls that a unit allows."""
    allowed = set[str]()
    for value in values(unit, "SystemCallFilter"):
        calls = {call for group in value.lstrip("~").split() for call in calls_of(group)}
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def confine(unit: Path) -> None:
    """Confine this process, and all that it starts."""
    names = allowed_calls(unit)
    c = ctypes.CDLL(None, use_errno=True)
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(REFUSE))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        seccomp.seccomp_rule_add(rules, ALLOW, number, 0)
    if values(unit, "NoNewPrivileges") == ["yes"]:
        assert c.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    if values(unit, "MemoryDenyWriteExecute") == ["yes"]:
        assert c.prctl(NO_WRITE_AND_EXECUTE, REFUSE_EXECUTE_GAIN, 0, 0, 0) == 0
    assert seccomp.seccomp_load(rules) == 0


if __name__ == "__main__":
    confine(Path(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the test's own command
