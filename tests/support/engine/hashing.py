"""The places where passwords wait to be hashed."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.accounts.accounts import StoredAccounts
from server.core.hash_queue import HashQueue
from server.crypto.passwords import PasswordHasher
from server.services import Services


def hasher_of(services: Services) -> PasswordHasher:
    """The hasher of a node's accounts."""
    assert isinstance(services.accounts, StoredAccounts)
    return services.accounts._hasher


@contextmanager
def no_place(hasher: PasswordHasher) -> Iterator[None]:
    """Let every password find all places taken."""
    threads = hasher._threads
    queue, threads._queue = threads._queue, HashQueue(workers=0, waiting=0, per_network=1)
    try:
        yield
    finally:
        threads._queue = queue
