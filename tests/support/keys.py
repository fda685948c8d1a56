"""Secret keys for tests: fixed, and as irregular as random ones. Published here, so no secret."""

import hashlib
from typing import Final


def key(name: str) -> bytes:
    """The same 32 bytes for the same name."""
    return hashlib.sha256(b"a key of Curfew's tests: " + name.encode()).digest()


KEY: Final = key("the one")
