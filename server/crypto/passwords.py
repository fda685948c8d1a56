"""Password hashing: argon2id in its own threads, limited, not revealing which accounts exist.

Hashing is slow on purpose, so every hash waits for its turn here; `HashQueue` says whose it is.
"""

import os
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import partial
from typing import Final

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from server.core.credentials import BadPassword, encode_password
from server.crypto.hash_threads import HasherBusy, HashThreads

__all__ = [
    "CHEAPEST",
    "INTERACTIVE",
    "Argon2Parameters",
    "HasherBusy",
    "PasswordCheck",
    "PasswordHasher",
]

_MAX_MEMORY_BYTES: Final = 2**30
_MAX_PASSES: Final = 10
"""A stored string names its own cost. These limits bound the cost of checking a tampered one."""

# Exactly what `argon2id.str` writes: version 1.3, one lane, 16 bytes of salt, 32 of hash.
_STORED = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=1"
    r"\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
)


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """The cost of one argon2id hash, with one lane.

    Args:
        memory_bytes: memory, a multiple of 1024 from 8 KiB to 1 GiB.
        passes: passes over that memory, 1 to 10.

    Raises:
        ValueError: an argument is outside these limits.
    """

    memory_bytes: int
    passes: int

    def __post_init__(self) -> None:
        if self.memory_bytes not in range(argon2id.MEMLIMIT_MIN, _MAX_MEMORY_BYTES + 1, 1024):
            raise ValueError("memory_bytes takes multiples of 1024 from 8 KiB to 1 GiB")
        if self.passes not in range(1, _MAX_PASSES + 1):
            raise ValueError(f"passes takes 1 to {_MAX_PASSES}")

    def is_below(self, other: "Argon2Parameters") -> bool:
        """Return whether this costs an attacker less memory or fewer passes than the other."""
        return self.memory_bytes < other.memory_bytes or self.passes < other.passes


INTERACTIVE: Final = Argon2Parameters(memory_bytes=64 * 2**20, passes=2)
"""libsodium's interactive limits, about 65 ms; above the 19 MiB and 2 passes that OWASP's
Password Storage Cheat Sheet asks for."""

CHEAPEST: Final = Argon2Parameters(memory_bytes=8 * 2**10, passes=1)
"""The least that argon2id allows, about 35 us. For tests only."""


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """The result of checking a password.

    Args:
        matches: whether it is the password that was hashed.
        needs_rehash: whether it matches and its hash is cheaper than the present parameters, so
            that the password should be hashed again now.
    """

    matches: bool
    needs_rehash: bool


_NO_MATCH: Final = PasswordCheck(matches=False, needs_rehash=False)


class PasswordHasher:
    """Hashes and checks passwords in its own threads, a limited number at a time."""

    def __init__(
        self,
        parameters: Argon2Parameters = INTERACTIVE,
        workers: int = 2,
        queue_limit: int = 64,
        per_network: int = 16,
    ) -> None:
        """Start no threads yet; the first password starts them.

        Args:
            parameters: the cost of new hashes, and of checks for names without an account.
            workers: hashes at the same time; they take `workers` times `memory_bytes` of memory.
            queue_limit: passwords that may wait besides; the last one waits for about
                `queue_limit / workers` hashes, 2.1 s with the defaults.
            per_network: passwords of one network that may be hashed or wait.
        """
        self._parameters = parameters
        self._dummy = _dummy_hash(parameters)
        self._threads = HashThreads(workers, queue_limit, per_network)

    @property
    def threads(self) -> HashThreads:
        """The threads that hash, with those who wait for them."""
        return self._threads

    async def hash(self, password: str) -> str:
        """Return the string to store for a password: salt, parameters and hash in one.

        Args:
            password: a password that `check_password_shape` has accepted.

        Raises:
            HasherBusy: the queue is full, or the applicant has gone.
            ValueError: the password is not valid text, or too long.
        """
        match encode_password(password):
            case BadPassword(detail=detail):
                raise ValueError(detail)
            case encoded:
                return await self._threads.run(partial(_hash, encoded, self._parameters))

    async def verify(self, password: str, stored: str | None) -> PasswordCheck:
        """Check a password against a stored string, or do the same work and refuse it.

        For a name without an account, or with a damaged string, the work is that of the present
        parameters, so the time of the answer does not reveal which names exist (ASVS 5.0 6.3.8).
        A password that nobody can have is refused at once, for any name.

        Args:
            password: the password as it was typed.
            stored: what `hash` returned; None if there is no such account.

        Raises:
            HasherBusy: the queue is full, no matter whether the account exists, or the applicant
                has gone.
        """
        encoded = encode_password(password)
        if isinstance(encoded, BadPassword):
            return _NO_MATCH
        cost = _parameters_of(stored) if stored is not None else None
        if stored is None or cost is None:
            await self._threads.run(partial(_verify, self._dummy, encoded))
            return _NO_MATCH
        matches = await self._threads.run(partial(_verify, stored, encoded))
        return PasswordCheck(matches, needs_rehash=matches and cost.is_below(self._parameters))

    def close(self) -> None:
        """Wait for running hashes; cancel those not started, and the tasks that await them."""
        self._threads.close()


def _hash(encoded: bytes, parameters: Argon2Parameters) -> str:
    return argon2id.str(encoded, parameters.passes, parameters.memory_bytes).decode()


def _verify(stored: str, encoded: bytes) -> bool:
    try:
        return argon2id.verify(stored.encode(), encoded)
    except InvalidkeyError:
        return False


def _parameters_of(stored: str) -> Argon2Parameters | None:
    """Return the cost that a stored string names; None if it is damaged or the cost too high."""
    match = _STORED.fullmatch(stored)
    if match is None:
        return None
    try:
        return Argon2Parameters(memory_bytes=int(match[1]) * 1024, passes=int(match[2]))
    except ValueError:
        return None


def _dummy_hash(parameters: Argon2Parameters) -> str:
    """Make a string of this cost that no password matches, as its hash is random bytes."""
    salt, digest = (b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
    cost = f"m={parameters.memory_bytes // 1024},t={parameters.passes},p=1"
    return f"$argon2id$v=19${cost}${salt}${digest}"
