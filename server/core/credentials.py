"""The form of user names and passwords, checked before anything is looked up or hashed.

A user name has one form, so that no two accounts look alike. In a password every difference that
a person can see counts.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

USERNAME_CHARACTERS: Final = range(3, 33)
PASSWORD_MIN_CHARACTERS: Final = 15
"""NIST SP 800-63B-4 §3.1.1.2: 15 where the password is the only factor."""

PASSWORD_MAX_BYTES: Final = 1024
"""In UTF-8, after NFC. Far above the 64 characters of ASVS 5.0 6.2.9; bounds the work per try."""

_PASSWORD_MAX_RAW_CHARACTERS: Final = 2048
"""Checked before normalising, because its cost grows with the square of the number of combining
marks in a row (3 ms at this length). It refuses no password of 1024 bytes or less: NFC stores at
most 3 code points in 2 bytes."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_NAME_ALPHABET = re.compile(r"[a-z0-9._-]+")


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


def canonical_username(text: str) -> str | BadUsername:
    """Return the one form of a user name, or what is wrong with it.

    Upper-case ASCII letters become lower case. Any other character outside `a-z 0-9 . _ -` is
    refused and never replaced, so that no look-alike, full-width or invisible character leads to
    an existing name. No name is reserved.

    Args:
        text: the name as it was typed; it is not trimmed.
    """
    if len(text) not in USERNAME_CHARACTERS:
        return BadUsername("length", "A user name has 3 to 32 characters.")
    # isascii() looks at the text before lower(), which turns e.g. the Kelvin sign into a "k".
    name = text.lower()
    if not text.isascii() or not _NAME_ALPHABET.fullmatch(name):
        return BadUsername(
            "alphabet", "A user name uses only the letters a to z, digits, '.', '_' and '-'."
        )
    if not _NAME.fullmatch(name):
        return BadUsername(
            "order",
            "A user name starts and ends with a letter or digit, "
            "and has no two of '.', '_' and '-' in a row.",
        )
    return name


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
