"""Free ports, as the testing kit gives them out, and whether somebody listens on one."""

import socket

from curfew.testing.ports import PORTS, free_port

__all__ = ["PORTS", "free_port", "is_answered"]


def is_answered(port: int) -> bool:
    """Tell whether somebody listens on this port of the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
