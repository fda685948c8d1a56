"""Free ports for servers that are started later, and started again at the same address.

Whoever gets a port here has it to its end: no other process that asks here gets the same one,
whether it belongs to the same run of tests, to a run within a test, or to another run beside it.
"""

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

PORTS: Final = range(20_000, 32_000)
"""Below those that Linux (from 32768) and macOS (from 49152) give to outgoing connections."""


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on; this process gives it out once.

    Raises:
        RuntimeError: all are taken.
    """
    looked_at = itertools.islice(_ports, len(PORTS))
    for port in looked_at:
        if _is_free(port) and _is_claimed_now(port):
            return port
    raise RuntimeError(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


def _from_a_place_of_its_own() -> Iterator[int]:
    """Return all ports, over and over: where others look too, fewer are taken."""
    start = os.getpid() * 97 % len(PORTS)
    return itertools.cycle([*PORTS[start:], *PORTS[:start]])


def _is_claimed_now(port: int) -> bool:
    """Lock the byte of a port in a file that the processes of this user share.

    The kernel opens the lock again when this process ends. Closing the file would open all of them.
    """
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    path = Path(tempfile.gettempdir()) / f"curfew-ports-of-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports = _from_a_place_of_its_own()
