"""A software authenticator: makes passkeys and uses them as WebAuthn says, or almost."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey. Change what it says of itself to see that refused.

    Attributes:
        origin: of the page.
        site: the relying party id.
        verifies: whether it asks for PIN or finger.
        counter: shown at each use.
        counts: whether the counter goes up with each use.
        handle: the account that it was made for, base64url.
    """

    origin: str
    site: str = "localhost"
    verifies: bool = True
    counter: int = 0
    counts: bool = True
    handle: str = ""
    id: str = field(default_factory=lambda: to_base64url(os.urandom(32)))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer creation options."""
        self.handle = options["user"]["id"]
        raw_id = from_base64url(self.id)
        credential = bytes(16) + len(raw_id).to_bytes(2) + raw_id + self._public_key()
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._data(HAS_CREDENTIAL) + credential,
        }
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options),
            "attestationObject": to_base64url(cbor2.dumps(attestation)),
        }
        return self._credential(response)

    def use(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer request options."""
        self.counter += self.counts
        data = self._data()
        client_data = self._client_data("webauthn.get", options)
        signed = data + hashlib.sha256(from_base64url(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": to_base64url(data),
            "signature": to_base64url(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": self.handle,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }

    def _client_data(self, kind: str, options: dict[str, Any]) -> str:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return to_base64url(json.dumps(told).encode())

    def _data(self, flags: int = 0) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies else 0)
        site = hashlib.sha256(self.site.encode()).digest()
        return site + bytes([flags]) + self.counter.to_bytes(4)

    def _public_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        return cbor2.dumps(cose)


def to_base64url(raw: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """With or without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
