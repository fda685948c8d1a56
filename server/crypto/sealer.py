"""The sealer: encrypts records, so that no copy, change or move of one is of use to an attacker.

A box is encrypted by XChaCha20-Poly1305 with a random nonce, and bound to its purpose and to the
place that it was written for.

    box = format version (1 byte) · key version (4, big-endian) · nonce (24) · ciphertext and tag
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from server.crypto.keyring import Keyring

_FORMAT: Final = b"\x01"
_HEADER_BYTES: Final = 5
_LEAST_BYTES: Final = _HEADER_BYTES + Aead.NONCE_SIZE + Aead.MACBYTES


@dataclass(frozen=True, slots=True)
class Opened:
    """The content of a genuine box.

    Args:
        plaintext: the bytes that were sealed.
        stale: whether a newer key than the box's is known; the next write seals it with that.
    """

    plaintext: bytes = field(repr=False)
    stale: bool


class Sealer:
    """Seals with the newest key of a keyring and opens with any of its keys."""

    __slots__ = ("_ciphers", "_keyring", "_made_from", "_newest")

    def __init__(self, keyring: Keyring) -> None:
        """Take the keys. The keys of a purpose are derived at its first use."""
        self._keyring = keyring
        self._newest: dict[str, bytes] = {}
        self._ciphers: dict[str, dict[bytes, Aead]] = {}
        self._made_from: dict[str, Mapping[int, bytes]] = {}

    def seal(self, plaintext: bytes, *, purpose: str, context: str) -> bytes:
        """Return a box that opens only for the same purpose and context.

        Args:
            plaintext: the bytes to seal; their number stays visible.
            purpose: a constant of the program; each purpose has keys of its own.
            context: what the box belongs to, such as a session id. A box that is copied to
                another place does not open there.
        """
        ciphers = self._ciphers_for(purpose)
        header = self._newest[purpose]
        return header + ciphers[header].encrypt(plaintext, _binding(header, purpose, context))

    def open(self, box: bytes, *, purpose: str, context: str) -> Opened | None:
        """Return the content of the box; None if anything about it is not as it was sealed.

        The box may be changed, cut short, of another format, sealed with an unknown key, or bound
        to something else. The caller cannot tell which, so it cannot tell an attacker either.

        Args:
            box: any bytes, also from an attacker.
            purpose: as given to `seal`.
            context: as given to `seal`.
        """
        header = box[:_HEADER_BYTES]
        cipher = self._ciphers_for(purpose).get(header)
        if cipher is None or len(box) < _LEAST_BYTES:
            return None
        try:
            plaintext = cipher.decrypt(box[_HEADER_BYTES:], _binding(header, purpose, context))
        except CryptoError:
            return None
        return Opened(plaintext, stale=header != self._newest[purpose])

    def _ciphers_for(self, purpose: str) -> dict[bytes, Aead]:
        """Return the cipher for each header that a genuine box of this purpose can begin with."""
        keys = self._keyring.derive(purpose)
        ciphers = self._ciphers.get(purpose)
        if ciphers is None or self._made_from[purpose] is not keys.by_version:
            self._made_from[purpose] = keys.by_version
            ciphers = {_header(version): Aead(key) for version, key in keys.by_version.items()}
            self._newest[purpose] = _header(keys.newest[0])
            self._ciphers[purpose] = ciphers
        return ciphers


def version_of_box(box: bytes) -> int | None:
    """Return the key version that a box names; None if it is no box of this format.

    Use it for statistics only: anybody can write a version into a box.
    """
    if len(box) < _LEAST_BYTES or not box.startswith(_FORMAT):
        return None
    return int.from_bytes(box[1:_HEADER_BYTES])


def _header(version: int) -> bytes:
    return _FORMAT + version.to_bytes(4)


def _binding(header: bytes, purpose: str, context: str) -> bytes:
    """Join what a box is bound to; each part has its length in front, so no two joins are equal."""
    # surrogatepass: a context may come from outside, and no text may make this raise.
    parts = (header, purpose.encode(), context.encode(errors="surrogatepass"))
    return b"".join(len(part).to_bytes(4) + part for part in parts)
