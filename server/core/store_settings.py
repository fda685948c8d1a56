"""Reads where the store is, and what depends on it, from environment variables."""

from collections.abc import Callable

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.core.store_address import (
    files_of_address,
    flaw_of_address,
    replicas_of_address,
    shown_address,
)
from server.core.store_url import shards_by_default

NAME = "CURFEW_STORE_URL"


def read_store_url(read: Environment, is_file: Callable[[str, str], bool]) -> str:
    """Return the address of the external store, checked; empty for the embedded store.

    Args:
        read: the variables.
        is_file: gets a variable and a path that it names, and returns whether a file is there.

    Raises:
        ConfigurationError: the address is wrong. Its text shows no password.
    """
    plaintext_allowed = allows_plaintext(read)
    url = read.text(NAME, "")
    if not url:
        return ""
    flaw = flaw_of_address(url, plaintext_allowed=plaintext_allowed)
    missing = [] if flaw else [each for each in files_of_address(url) if not is_file(NAME, each)]
    if missing:
        flaw = f"there is no file {missing[0]}."
    if flaw:
        raise ConfigurationError(f"{NAME} is {shown_address(url)!r}; {flaw}")
    return url


def allows_plaintext(read: Environment) -> bool:
    """Return whether the store may be on another machine without TLS."""
    return read.choice("CURFEW_STORE_PLAINTEXT", "refuse", "refuse", "allow") == "allow"


def read_replicas(read: Environment, url: str) -> int:
    """Return how many replicas an end waits for.

    Args:
        read: the variables.
        url: of the store; empty for the embedded one.
    """
    return read.integer("CURFEW_TERMINATION_REPLICAS", replicas_of_address(url), 0, 9)


def read_shards(read: Environment, url: str) -> int:
    """Return in how many parts the store's keys are.

    Args:
        read: the variables.
        url: of the store; empty for the embedded one.
    """
    return read.integer("CURFEW_SHARDS", shards_by_default(url), 1, 100)
