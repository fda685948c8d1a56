"""The keyring: one ordered list of secret keys, and every working key derived from it.

The newest key writes, all keys read, so a key is retired by prepending its successor. Each
purpose has its own subkeys, so that what is valid in one place means nothing in another. This
file must not import PyNaCl, Tornado or the settings: it turns bytes into bytes.
"""

import hmac
import os
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from server.crypto.weak_keys import LEAST_BYTES, flaw_of

_MAX_VERSION: Final = 2**31 - 1


@dataclass(eq=False)
class WeakKey(ValueError):
    """A secret key must not be used. The text never holds any part of the key.

    Args:
        problem: what is wrong, as the end of a sentence.
        position: the key's place in the list, counted from 1; None if there is no list yet.
    """

    problem: str
    position: int | None = None

    def __str__(self) -> str:
        which = "the secret key" if self.position is None else f"secret key {self.position}"
        return f"{which} {self.problem}; make one with: python run.py keys new"


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """The subkeys of one purpose, each 32 bytes, by the version of the key they come from."""

    newest: tuple[int, bytes] = field(repr=False)
    by_version: Mapping[int, bytes] = field(repr=False)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions, newest first."""
        return tuple(self.by_version)

    def __repr__(self) -> str:
        return f"DerivedKeys(versions={self.versions})"


class Keyring:
    """The secret keys, newest first; made by `from_secrets` alone."""

    __slots__ = ("_derived", "_secrets")

    def __init__(self, secrets: Mapping[int, bytes]) -> None:
        """Keep secrets that `from_secrets` has examined, by version, newest first."""
        self._secrets = secrets
        # One entry per purpose; purposes are constants of the program, so this stays small.
        self._derived: dict[str, DerivedKeys] = {}

    @classmethod
    def from_secrets(cls, secrets: Sequence[bytes]) -> Self:
        """Make a keyring, or refuse keys that would protect nothing.

        A version is a fingerprint of its key, not a place in the list: prepending a key never
        renumbers the others, and two servers with the same keys agree without talking.

        Args:
            secrets: the secret keys, newest first, each 32 bytes or more.

        Raises:
            WeakKey: no key, one that nobody drew at random or that stands in a document, one that
                is repeated, or two with the same version (ASVS 5.0 13.3.1: weak keys stop the
                start).
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
        """Return the subkeys of a purpose: the same ones for the same purpose, unrelated otherwise.

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

    @property
    def versions(self) -> tuple[int, ...]:
        """The fingerprints of the keys, newest first. They tell nothing of the keys."""
        return tuple(self._secrets)

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions})"


def new_secret() -> str:
    """Return a new secret key: 32 bytes of the system's randomness as 43 base64url characters."""
    return secret_text(os.urandom(LEAST_BYTES))


def parse_secret(text: str) -> bytes:
    """Read a secret key from base64url text, with or without padding and space around it.

    Raises:
        WeakKey: the text is not the base64url form of any bytes.
    """
    bare = text.strip().rstrip("=")
    try:
        secret = b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        secret = b""
    # Compared with its own canonical form, because the decoder forgives the other base64
    # alphabet and stray last bits: both mean a key was copied badly.
    if secret_text(secret) != bare:
        raise WeakKey("is not base64url text")
    return secret


def secret_text(secret: bytes) -> str:
    """The text that `parse_secret` reads."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def version_of(secret: bytes) -> int:
    """The fingerprint of a key, 1 to 2**31-1. Not 0, which is Tornado's word for "no version"."""
    return int.from_bytes(_expand(secret, b"curfew key version")[:8]) % _MAX_VERSION + 1


def _expand(secret: bytes, info: bytes) -> bytes:
    """HKDF-Expand of one block with SHA-256; RFC 5869 §3.3 lets random keys skip the extraction."""
    return hmac.digest(secret, info + b"\x01", "sha256")
