"""Secret keys for tests: fixed, and as irregular as random ones. Published here, so no secret."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Final


def key(name: str) -> bytes:
    """The same 32 bytes for the same name."""
    return hashlib.sha256(b"a key of Curfew's tests: " + name.encode()).digest()


def text_of(secret: bytes) -> str:
    """A key as settings take it."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


KEY: Final = key("the one")
