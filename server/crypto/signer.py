"""The signer: proves that a message came from somebody who has the secret keys.

The proof is HMAC-SHA256 with a key of the purpose. The newest key signs and all keys verify, so
that nodes accept each other's messages while keys are being replaced.

    proof = key version · ":" · 64 hexadecimal digits
"""

import hmac
import re
from collections.abc import Sequence

from server.crypto.keyring import Keyring

_PROOF = re.compile(r"([1-9][0-9]{0,9}):([0-9a-f]{64})", re.ASCII)


class Signer:
    """Signs and verifies sequences of values for one purpose.

    Args:
        keyring: the secret keys.
        purpose: a constant of the program; each purpose has keys of its own.
    """

    def __init__(self, keyring: Keyring, purpose: str) -> None:
        self._keys = keyring.derive(purpose)

    def sign(self, parts: Sequence[str | bytes]) -> str:
        """Return the proof of these values in this order, made with the newest key."""
        version, key = self._keys.newest
        return f"{version}:{_mac(key, parts)}"

    def verify(self, proof: str, parts: Sequence[str | bytes]) -> bool:
        """Return whether one of the keys signed exactly these values in this order.

        Args:
            proof: any text, also from an attacker.
            parts: any values.
        """
        match = _PROOF.fullmatch(proof)
        key = self._keys.by_version.get(int(match[1])) if match else None
        return (
            match is not None
            and key is not None
            and hmac.compare_digest(match[2], _mac(key, parts))
        )


def _mac(key: bytes, parts: Sequence[str | bytes]) -> str:
    """Return the MAC of the parts; each has its length in front, so no two joins are equal."""
    raw = [part.encode(errors="surrogatepass") if isinstance(part, str) else part for part in parts]
    joined = b"".join(len(part).to_bytes(8) + part for part in raw)
    return hmac.digest(key, joined, "sha256").hex()
