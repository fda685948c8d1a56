"""What a user name and a password may look like, before anything is looked up or hashed.

Every name has one form, so that no two accounts look alike; a password keeps every difference
that a person can see. This file must import the standard library alone.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

USERNAME_CHARACTERS: Final = range(3, 33)
PASSWORD_MIN_CHARACTERS: Final = 15
"""NIST SP 800-63B-4 §3.1.1.2: 15 where the password is the only factor."""

PASSWORD_MAX_BYTES: Final = 1024
"""UTF-8 after NFC. Far above the 64 characters of ASVS 5.0 6.2.9; it bounds the work per try."""

_PASSWORD_MAX_RAW_CHARACTERS: Final = 2048
"""Looked at before normalising, whose cost is quadratic in a run of combining marks (3 ms here).
No password of 1024 bytes is longer in any form: NFC holds at most 3 code points in 2 bytes."""

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_NAME_ALPHABET = re.compile(r"[a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class BadUsername:
    """Why a user name cannot be used.

    Attributes:
        flaw: a word for it, for who has sentences of their own.
        detail: a sentence.
    """

    flaw: str
    detail: str


@dataclass(frozen=True, slots=True)
class BadPassword:
    """Why a password cannot be used; neither attribute tells anything of the password.

    Attributes:
        flaw: a word for it, for who has sentences of their own.
        detail: a sentence.
    """

    flaw: str
    detail: str


_TOO_LONG: Final = BadPassword("too_long", f"A password has at most {PASSWORD_MAX_BYTES} bytes.")


def canonical_username(text: str) -> str | BadUsername:
    """Return the one form of a user name, or say what is wrong with it.

    Upper-case ASCII is folded; everything else outside `a-z 0-9 . _ -` is refused rather than
    mapped, so that no look-alike, full-width or invisible character can reach a name that
    exists. No name is reserved.

    Args:
        text: the name as it was typed; nothing is trimmed.
    """
    if len(text) not in USERNAME_CHARACTERS:
        return BadUsername("length", "A user name has 3 to 32 characters.")
    # ASCII first: lower() would turn some other letters, such as the Kelvin sign, into ASCII.
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
    """Return what is wrong with a new password's length or text; None if it may be used.

    There are no rules of composition (ASVS 5.0 6.2.5). Whether it is easy to guess is asked
    elsewhere.

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
    """Return the bytes that are hashed for a password: NFC, then UTF-8, nothing cut or trimmed.

    NIST SP 800-63B-4 §3.1.1.2 asks for NFC or NFKC, so that the same letters typed on another
    keyboard still match. NFC it is: NFKC would also make different passwords equal.

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
