"""What a server tells about itself, by INFO: a text of a hundred lines, of which one is looked at.

The client library would take each line apart. That costs more than all else of an end.
"""

import re
from typing import Final

INFO: Final = b"INFO"
"""The reply to a command with this name comes as text: the library looks for `"INFO"`."""
MASTER: Final = "master"
_ROLE: Final = re.compile(rb"^role:(\S+)", re.MULTILINE)
_HISTORY: Final = re.compile(rb"^master_replid:(\S+)", re.MULTILINE)
_ROUNDS: Final = re.compile(rb"^eventloop_cycles:(\d+)\r?$", re.MULTILINE)


def role_in(told: bytes) -> str:
    """Return the server's role, as `INFO replication` has it; empty if it does not tell."""
    found = _ROLE.search(told)
    return found[1].decode() if found else ""


def history_in(told: bytes) -> str:
    """Return which history the server has, from the same text; empty if it does not tell."""
    found = _HISTORY.search(told)
    return found[1].decode() if found else ""


def rounds_in(told: bytes) -> int | None:
    """Return how many rounds its event loop has run, from `INFO stats`; None if it tells none."""
    found = _ROUNDS.search(told)
    return int(found[1]) if found else None
