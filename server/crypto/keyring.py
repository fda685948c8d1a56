"""The keyring: an ordered list of secret keys, from which all working keys are derived.

The newest key writes and all keys read, so a key is replaced by putting its successor in front.
Each purpose has subkeys of its own, so that what is valid for one purpose is not for another.
"""

import hmac
import os
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from server.crypto.weak_keys import LEAST_BYTES, flaw_of

_MAX_VERSION: Final = 2**31 - 1


@dataclass(eq=False)
class WeakKey(ValueError):
    """A secret key must not be used. The text never contains any part of the key.

    Args:
        problem: what is wrong, as the end of a sentence.
        position: the key's place in the list, counted from 1; None without a list.
    """

    problem: str
    position: int | None = None

    def __str__(self) -> str:
        which = "the secret key" if self.position is None else f"secret key {self.position}"
        return f"{which} {self.problem}; make one with: python run.py keys new"


@dataclass(slots=True)
class DerivedKeys:
    """The subkeys of one purpose, each 32 bytes, by the version of their secret key.

    A keyring that adopts other keys replaces both, and `by_version` is another mapping then.
    """

    newest: tuple[int, bytes] = field(repr=False)
    by_version: Mapping[int, bytes] = field(repr=False)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions, newest first."""
        return tuple(self.by_version)

    def __repr__(self) -> str:
        return f"DerivedKeys(versions={self.versions})"


class Keyring:
    """The secret keys, newest first. Make one by `from_secrets` only."""

    __slots__ = ("_derived", "_observers", "_secrets")

    def __init__(self, secrets: Mapping[int, bytes]) -> None:
        """Take secrets that `from_secrets` has checked, by version, newest first."""
        self._secrets = secrets
        # One entry for each purpose; purposes are constants of the program, so this stays small.
        self._derived: dict[str, DerivedKeys] = {}
        self._observers: list[Callable[[], object]] = []

    @classmethod
    def from_secrets(cls, secrets: Sequence[bytes]) -> Self:
        """Make a keyring, or refuse keys that would protect nothing.

        The version of a key is a fingerprint of it, not its place in the list. So a new key in
        front never changes the versions of the others, and two servers with the same keys use the
        same versions without talking to each other.

        Args:
            secrets: the secret keys, newest first, each 32 bytes or more.

        Raises:
            WeakKey: there is no key; or one is not random, is published in a document, or is
                repeated; or two have the same version. Weak keys stop the start (ASVS 5.0 13.3.1).
        """
        if not secrets:
            raise WeakKey("is missing")
        ring: dict[int, bytes] = {}
        for position, secret in enumerate(secrets, start=1):
            if flaw := flaw_of(secret, secret_text(secret)):
                raise WeakKey(flaw, position)
            version = version_of(secret)
            if version in ring:
                clash = "repeats" if ring[version] == secret else "has by chance the version of"
                raise WeakKey(f"{clash} key {list(ring).index(version) + 1}", position)
            ring[version] = secret
        return cls(ring)

    def derive(self, purpose: str) -> DerivedKeys:
        """Return the subkeys of a purpose; those of different purposes are unrelated.

        Args:
            purpose: a constant of the program that names one use, such as `cookie`.
        """
        derived = self._derived.get(purpose)
        if derived is None:
            info = b"curfew purpose: " + purpose.encode()
            keys = {version: _expand(key, info) for version, key in self._secrets.items()}
            newest = next(iter(keys.items()))
            derived = self._derived[purpose] = DerivedKeys(newest, MappingProxyType(keys))
        return derived

    def adopt(self, other: Self) -> None:
        """Take the keys of another keyring in place of its own. All derived keys follow."""
        self._secrets = other._secrets
        for purpose, derived in self._derived.items():
            fresh = other.derive(purpose)
            derived.newest, derived.by_version = fresh.newest, fresh.by_version
        for observer in self._observers:
            observer()

    def subscribe(self, observer: Callable[[], object]) -> None:
        """Call `observer` when other keys were adopted."""
        self._observers.append(observer)

    @property
    def versions(self) -> tuple[int, ...]:
        """The fingerprints of the keys, newest first. They reveal nothing about the keys."""
        return tuple(self._secrets)

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions})"


def joined(running: Sequence[bytes], wanted: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the keys with which a server can read whatever either of two keyrings has written.

    The first one stays the key that writes.

    Args:
        running: the secret keys in force, newest first.
        wanted: those that shall replace them.
    """
    return (*running, *(each for each in wanted if each not in running))


def new_secret() -> str:
    """Return a new secret key: 32 random bytes of the system as 43 base64url characters."""
    return secret_text(os.urandom(LEAST_BYTES))


def parse_secret(text: str) -> bytes:
    """Read a secret key from base64url text, with or without padding and surrounding space.

    Raises:
        WeakKey: the text is not base64url.
    """
    bare = text.strip().rstrip("=")
    try:
        secret = b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        secret = b""
    # The decoder also accepts the other base64 alphabet and unused last bits that are not 0. Both
    # mean that a key was copied wrongly, so the text is compared with its canonical form.
    if secret_text(secret) != bare:
        raise WeakKey("is not base64url text")
    return secret


def secret_text(secret: bytes) -> str:
    """Return the text that `parse_secret` reads."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def version_of(secret: bytes) -> int:
    """Return the fingerprint of a key, 1 to 2**31-1. Never 0, Tornado's value for "no version"."""
    return int.from_bytes(_expand(secret, b"curfew key version")[:8]) % _MAX_VERSION + 1


def _expand(secret: bytes, info: bytes) -> bytes:
    """Do one block of HKDF-Expand with SHA-256; random keys need no extraction (RFC 5869 §3.3)."""
    return hmac.digest(secret, info + b"\x01", "sha256")
