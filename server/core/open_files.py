"""How many connections a limit of open files leaves room for."""

from typing import Final

KEPT_FREE: Final = 128
"""File descriptors kept free for the store, the listening port and everything else."""
FEWEST_CONNECTIONS: Final = 64
"""How many connections there may be where the system allows very few files."""
UNLIMITED: Final = 100_000
"""How many connections there may be where the system sets no limit."""


def connections_with(files: int) -> int:
    """Return how many connections a process may have that may open so many files.

    Args:
        files: the limit; below 0 for none.
    """
    return UNLIMITED if files < 0 else max(FEWEST_CONNECTIONS, files - KEPT_FREE)
