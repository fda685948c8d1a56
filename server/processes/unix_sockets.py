"""Whether a Unix socket belongs to a program that runs."""

import socket
from pathlib import Path


def is_taken(path: Path) -> bool:
    """Return whether another program has the socket of this path.

    A socket that this user may not connect to counts, and so does one of another kind: only a
    refusal proves that nobody has it any more.

    Args:
        path: of the socket; there may be none.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # its queue is full, or it takes other connections, or others' ones
            return True
    return True
