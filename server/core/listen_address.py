"""What `CURFEW_HOST` may name besides an IP address or a host: all addresses, or a Unix socket."""

import os
from pathlib import Path
from typing import Final

ANY_OF_BOTH_FAMILIES: Final = "::"
"""All addresses of this machine, of IPv6 and of IPv4."""
PREFIX: Final = "unix:"
TEMPORARY: Final = ".new"
"""Stands behind the path until the socket there listens."""
_LONGEST: Final = 103
"""Bytes of a Unix socket's path on macOS. Linux takes four more."""
AS_CLIENT: Final = "127.0.0.1"
"""The address of whoever connects to a Unix socket: a process on this machine."""


def unix_path(host: str) -> Path | None:
    """Return the path of the Unix socket that an address names; None for any other address."""
    return Path(host.removeprefix(PREFIX)) if host.startswith(PREFIX) else None


def flaw_of_unix_address(host: str) -> str | None:
    """Return what is wrong with the address of a Unix socket; None for a right one or another."""
    path = unix_path(host)
    if path is None:
        return None
    if not path.is_absolute() or path.name == "":
        return "an absolute path, such as unix:/run/curfew/http.sock"
    longest = _LONGEST - len(TEMPORARY)
    if len(os.fsencode(path)) > longest:
        return f"a path of at most {longest} bytes"
    return None
