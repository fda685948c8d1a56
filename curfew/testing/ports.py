"""Free ports for servers that are started later, and started again at the same address."""

import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

PORTS: Final = range(20_000, 32_000)
"""Below those that Linux (from 32768) and macOS (from 49152) give to outgoing connections."""
SHARES: Final = 8
"""Processes that run tests at once have no port in common, up to so many of them."""


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on; this process gives it out once."""
    return next(port for port in _ports if _is_free(port))


def _share() -> Iterator[int]:
    """Return this process's ports, over and over; from a place of its own, as other runs go on."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = PORTS[worker % SHARES :: SHARES]
    start = os.getpid() % len(share)
    return itertools.cycle([*share[start:], *share[:start]])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_ports = _share()
