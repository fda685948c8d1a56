"""Codes of authenticator apps: RFC 6238 with SHA-1, six digits and 30 seconds, as all apps have it.

By pyotp; which of the codes may be used is decided in `server.core`. SHA-1 is sound here: HMAC
does not need collision resistance (RFC 6238 1.2).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import pyotp

from server.core.one_time_codes import TOTP_STEP_SECONDS

SECRET_CHARACTERS: Final = 32
"""Of base32: 160 bits, the length of the hash (RFC 4226 4, R6)."""


def new_totp_secret() -> str:
    """A secret from the system's randomness, base32 (ASVS 5.0 6.5.3)."""
    return pyotp.random_base32(SECRET_CHARACTERS)


def totp_codes(secret: str, steps: Iterable[int]) -> Mapping[int, str]:
    """The right codes by time step."""
    generator = pyotp.TOTP(secret, interval=TOTP_STEP_SECONDS)
    return {step: generator.generate_otp(step) for step in steps}


def totp_uri(secret: str, *, user: str, site: str) -> str:
    """What an app reads from a QR code.

    Args:
        secret: base32.
        user: shown by the app.
        site: the host, shown by the app.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=f"{user}@{site}", issuer_name="Curfew")
