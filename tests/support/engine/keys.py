"""Secret keys for tests: fixed, but as irregular as random keys. They are public, so no secret."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Final


def key(name: str) -> bytes:
    """Return 32 bytes that depend on the name only."""
    return hashlib.sha256(b"a key of Curfew's tests: " + name.encode()).digest()


def text_of(secret: bytes) -> str:
    """Return a key as the settings take it."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


KEY: Final = key("the one")
