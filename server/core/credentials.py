"""The form of passwords, and the limits of user names.

`server.accounts.user_names` has the form of user names: one for each, so that no two accounts look
alike. In a password every difference that a person can see counts.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

USERNAME_CHARACTERS: Final = range(3, 33)
"""A wide character counts as two for the least: many names in Han, Hangul or Kana have two."""
ADDRESS_MAX_BYTES: Final = 254
"""Of an e-mail address as a user name, in UTF-8 (RFC 5321 4.5.3.1.3)."""
LOCAL_PART_MAX_BYTES: Final = 64
DOMAIN_LABEL_MAX_BYTES: Final = 63
PASSWORD_MIN_CHARACTERS: Final = 15
"""NIST SP 800-63B-4 §3.1.1.2: 15 where the password is the only factor."""

PASSWORD_MAX_BYTES: Final = 1024
"""In UTF-8, after NFC. Far above the 64 characters of ASVS 5.0 6.2.9; bounds the work per try."""

_PASSWORD_MAX_RAW_CHARACTERS: Final = 2048
"""Checked before normalising, because its cost grows with the square of the number of combining
marks in a row (3 ms at this length). It refuses no password of 1024 bytes or less: NFC stores at
most 3 code points in 2 bytes."""


@dataclass(frozen=True, slots=True)
class BadUsername:
    """Why a user name cannot be used.

    Attributes:
        flaw: a word for the reason, for callers that have their own sentences.
        detail: the reason in a sentence.
    """

    flaw: str
    detail: str


@dataclass(frozen=True, slots=True)
class BadPassword:
    """Why a password cannot be used. Neither attribute reveals anything about the password.

    Attributes:
        flaw: a word for the reason, for callers that have their own sentences.
        detail: the reason in a sentence.
    """

    flaw: str
    detail: str


_TOO_LONG: Final = BadPassword("too_long", f"A password has at most {PASSWORD_MAX_BYTES} bytes.")


def check_password_shape(password: str) -> BadPassword | None:
    """Return what is wrong with the length or the text of a new password; None if nothing is.

    No kinds of characters are required (ASVS 5.0 6.2.5). `server.crypto.common_passwords` checks
    whether a password is easy to guess.

    Args:
        password: as it was typed; space, NUL and emoji count like any other character.
    """
    encoded = encode_password(password)
    if isinstance(encoded, BadPassword):
        return encoded
    if len(encoded.decode()) < PASSWORD_MIN_CHARACTERS:
        return BadPassword(
            "too_short", f"A password has at least {PASSWORD_MIN_CHARACTERS} characters."
        )
    return None


def encode_password(password: str) -> bytes | BadPassword:
    """Return the bytes to hash for a password: NFC, then UTF-8, nothing cut or trimmed.

    NIST SP 800-63B-4 §3.1.1.2 asks for NFC or NFKC, so that the same letters typed on another
    keyboard still match. This is NFC, because NFKC makes some different passwords equal.

    Args:
        password: as it was typed.
    """
    if len(password) > _PASSWORD_MAX_RAW_CHARACTERS:
        return _TOO_LONG
    try:
        encoded = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return BadPassword(
            "not_text", "A password must be valid text; this one holds half a character."
        )
    return encoded if len(encoded) <= PASSWORD_MAX_BYTES else _TOO_LONG
