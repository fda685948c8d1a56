"""A listening Unix socket, which a proxy on this machine connects to."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.core.listen_address import TEMPORARY
from server.processes.unix_sockets import is_taken

MODE: Final = 0o660
"""This user and its group may connect; who else may is decided by the folder."""
BACKLOG: Final = 128


def listen_on_path(path: Path) -> socket.socket:
    """Return a socket that listens on a path.

    One that nobody listens on any more is replaced. The new one gets its name only when it listens
    and has its mode, so nobody meets it earlier.

    Args:
        path: of the socket. Its folder must exist.

    Raises:
        OSError: it cannot be used: another program listens there, or it is no socket.
    """
    if path.exists() and not path.is_socket():
        raise FileExistsError(0, "there is a file that is no socket")
    if is_taken(path):
        raise OSError(0, "another program listens there")
    temporary = path.with_name(path.name + TEMPORARY)
    temporary.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(temporary))
        temporary.chmod(MODE)
        listening.setblocking(False)
        listening.listen(BACKLOG)
        temporary.replace(path)
    except OSError:
        listening.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return listening
