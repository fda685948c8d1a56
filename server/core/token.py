"""The token: the credential that lives in the cookie and nowhere else.

A token is `sid.generation.secret`. Its secret is not stored; it is computed from the session's
seed: `secret(g) = HMAC-SHA256(seed, g)`. So parallel requests can all get the same successor, and
any older generation can be recognised as genuine. In the store the seed is sealed, so a copy of
the store opens no session (P4).
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SEED_BYTES: Final = 32
"""256 bits; ASVS 5.0 7.2.3 asks for at least 128."""

SID_PATTERN: Final = r"[0-9]{2}[A-Za-z0-9_-]{22}"
"""Two digits name the shard, 22 base64url characters hold 128 random bits."""

MAX_GENERATION: Final = 10**9 - 1
"""A session rotated every second reaches this after 31 years."""

REMEMBERED: Final = 4096
"""So many of the latest secrets are not computed again. They are in memory with their seeds."""

_TOKEN = re.compile(rf"({SID_PATTERN})\.([1-9][0-9]{{0,8}})\.([A-Za-z0-9_-]{{43}})")
_SID = re.compile(SID_PATTERN)


@dataclass(frozen=True, slots=True)
class Token:
    """A presented or issued credential."""

    sid: str
    generation: int
    secret: str

    def __str__(self) -> str:
        """Return the text for the cookie, and for nothing else."""
        return f"{self.sid}.{self.generation}.{self.secret}"

    def __repr__(self) -> str:
        """Return a text without the secret, so that a careless log line reveals nothing."""
        return f"Token(sid={self.sid!r}, generation={self.generation})"


def parse_token(text: str) -> Token | None:
    """Return the token in `text`; None if it does not have the form of one."""
    match = _TOKEN.fullmatch(text)
    return Token(match[1], int(match[2]), match[3]) if match else None


def is_sid(text: str) -> bool:
    """Return whether `text` has the form of a session id; nothing else may become part of a key."""
    return _SID.fullmatch(text) is not None


def make_sid(shard: int, random: bytes) -> str:
    """Make a session id on `shard` (0 to 99) from 16 random bytes."""
    return f"{shard:02d}{_base64url(random)}"


def shard_of_sid(sid: str) -> int:
    """Return the shard that a well-formed session id names."""
    return int(sid[:2])


def issue_token(sid: str, seed: bytes, generation: int) -> Token:
    """Return the one genuine token of this generation."""
    return Token(sid, generation, _secret(seed, generation))


def is_genuine(token: Token, seed: bytes) -> bool:
    """Return whether the secret belongs to the generation; in constant time (ASVS 11.2.4)."""
    return hmac.compare_digest(token.secret, _secret(seed, token.generation))


@lru_cache(REMEMBERED)
def csrf_token(seed: bytes) -> str:
    """Return the session's CSRF token. It is no credential and cannot be turned into one.

    Its HMAC input is longer than the 8 bytes of a generation, so it never equals a token's secret.
    """
    return _base64url(hmac.digest(seed, b"csrf token", "sha256"))


@lru_cache(REMEMBERED)
def _secret(seed: bytes, generation: int) -> str:
    return _base64url(hmac.digest(seed, generation.to_bytes(8), "sha256"))


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")
