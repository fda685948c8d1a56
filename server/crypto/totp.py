"""Codes of authenticator apps: RFC 6238 with SHA-1, six digits and 30 seconds, as in all apps.

pyotp computes them; `server.core.factor_policy` decides which may be used. SHA-1 is safe here,
because HMAC does not need collision resistance (RFC 6238 1.2).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import pyotp

from server.core.one_time_codes import TOTP_STEP_SECONDS

SECRET_CHARACTERS: Final = 32
"""In base32, for 160 bits, the length of the hash (RFC 4226 4, R6)."""


def new_totp_secret() -> str:
    """Return a random secret in base32, from the system's random numbers (ASVS 5.0 6.5.3)."""
    return pyotp.random_base32(SECRET_CHARACTERS)


def totp_codes(secret: str, steps: Iterable[int]) -> Mapping[int, str]:
    """Return the right codes, by time step."""
    generator = pyotp.TOTP(secret, interval=TOTP_STEP_SECONDS)
    return {step: generator.generate_otp(step) for step in steps}


def totp_uri(secret: str, *, user: str, site: str, issuer: str = "Curfew") -> str:
    """Return the URI that an app reads from a QR code.

    Args:
        secret: the secret in base32.
        user: the user name, which the app shows.
        site: the host name, which the app shows.
        issuer: the name of the application, under which the app lists it.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=f"{user}@{site}", issuer_name=issuer)
