"""The form of user names: each has one, by which its account is found.

Names follow the rules that the IETF has made for them: the profile UsernameCaseMapped of RFC 8265
gives the form, and UsernameCasePreserved how lists show the name. E-mail addresses are names, too:
their local part and each label of their domain follow the same rules. Nothing is sent to them, so
an address as a name proves nothing.

Beyond the profile: no name mixes scripts that a reader would take for one (Unicode TS 39 5.2,
highly restrictive), and of ASCII punctuation only what names and addresses have.
"""

import re
import unicodedata
from typing import Final

from confusable_homoglyphs import categories
from precis_i18n import get_profile

from server.core.credentials import (
    ADDRESS_MAX_BYTES,
    DOMAIN_LABEL_MAX_BYTES,
    LOCAL_PART_MAX_BYTES,
    USERNAME_CHARACTERS,
    BadUsername,
)

_MAPPED: Final = get_profile("UsernameCaseMapped")
_PRESERVED: Final = get_profile("UsernameCasePreserved")
_MOST_MARKS: Final = 4
"""In a row (Unicode TS 39 5.4)."""
_ENCODED_LABEL: Final = "xn--"
_PLAIN: Final = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
"""A name in ASCII that keeps all the rules, except perhaps for its length."""
_NO_LETTER: Final = re.compile(r"[\x00-\x7f]")
_IN_NAMES: Final = frozenset("._-")
_IN_LOCAL_PARTS: Final = frozenset(".!#$%&'*+/=?^_`{|}~-")
"""The atext of RFC 5322, and the dots between its atoms."""
_TOGETHER: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""The scripts that one word of a language may mix."""

_LENGTH: Final = BadUsername(
    "length", "A user name has 3 to 32 characters; an e-mail address has at most 254 bytes."
)
_ALPHABET: Final = BadUsername(
    "alphabet",
    "A user name uses only the letters of one script, digits, '.', '_' and '-', "
    "or is an e-mail address.",
)
_ORDER: Final = BadUsername(
    "order",
    "A user name starts and ends with a letter or digit, "
    "and has no two of '.', '_' and '-' in a row.",
)
_SCRIPTS: Final = BadUsername("scripts", "A user name uses the letters of one script only.")
_ADDRESS: Final = BadUsername("address", "This is no e-mail address that can be a user name.")


def canonical_username(text: str) -> str | BadUsername:
    """Return the one form of a user name, or what is wrong with it.

    Letters become lower case, full-width letters ordinary ones, and composed as NFC says. What the
    rules do not allow is refused and never left out. No name is reserved.

    Args:
        text: the name as it was typed; it is not trimmed.
    """
    if len(text) > ADDRESS_MAX_BYTES:
        return _LENGTH
    if len(text) in USERNAME_CHARACTERS and _PLAIN.fullmatch(text):
        return text.lower()  # as below, without the tables of Unicode: each sign-in asks
    return _canonical_by_tables(text)


def _canonical_by_tables(text: str) -> str | BadUsername:
    try:
        mapped = _mapped_address(text) if "@" in text else _MAPPED.enforce(text)
    except UnicodeError:
        return _LENGTH if len(text) < USERNAME_CHARACTERS.start else _ALPHABET
    if isinstance(mapped, BadUsername):
        return mapped
    return _flaw_of_address(mapped) if "@" in mapped else _flaw_of_name(mapped)


def spelling_of(text: str) -> str:
    """Return a name as its owner spelled it, for lists; empty if it is in its one form anyway.

    Args:
        text: a name that `canonical_username` accepts.
    """
    try:
        spelling = "@".join(_PRESERVED.enforce(part) for part in text.split("@"))
    except UnicodeError:
        return ""
    return "" if spelling == canonical_username(text) else spelling


def beginning_of_names(text: str) -> str:
    """Return a text as the beginning of names in their one form. Nothing is refused.

    Args:
        text: as somebody typed it who looks for a name.
    """
    mapped = _MAPPED.case_mapping_rule(_MAPPED.width_mapping_rule(text))
    return str(_MAPPED.normalization_rule(mapped))


def _mapped_address(text: str) -> str | BadUsername:
    """Return the form of an address, whose domain may be written in two ways."""
    local, _, domain = text.rpartition("@")
    if not local or not domain or "@" in local:
        return _ADDRESS
    labels = [_mapped_label(label) for label in domain.split(".")]
    if not all(labels):
        return _ADDRESS
    return f"{_MAPPED.enforce(local)}@{'.'.join(labels)}"


def _mapped_label(label: str) -> str:
    """Return a label in the letters of its script; empty if it is none."""
    mapped = _MAPPED.enforce(label) if label else ""
    if mapped[2:4] != "--":
        return mapped
    if not mapped.startswith(_ENCODED_LABEL):
        return ""
    decoded = mapped.removeprefix(_ENCODED_LABEL).encode("ascii").decode("punycode")
    is_genuine = decoded and not decoded.isascii() and _MAPPED.enforce(decoded) == decoded
    return decoded if is_genuine and _encoded(decoded) == mapped.encode("ascii") else ""


def _encoded(label: str) -> bytes:
    """Return a label as the domain name system has it."""
    if label.isascii():
        return label.encode("ascii")
    return _ENCODED_LABEL.encode("ascii") + label.encode("punycode")


def _flaw_of_name(name: str) -> str | BadUsername:
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in name)
    if len(name) + wide < USERNAME_CHARACTERS.start or len(name) >= USERNAME_CHARACTERS.stop:
        return _LENGTH
    if not _has_only(name, _IN_NAMES):
        return _ALPHABET
    if not _is_in_order(name, _IN_NAMES):
        return _ORDER
    return name if _is_in_one_script(name) else _SCRIPTS


def _flaw_of_address(address: str) -> str | BadUsername:
    local, _, domain = address.rpartition("@")
    if len(address.encode()) > ADDRESS_MAX_BYTES or len(local.encode()) > LOCAL_PART_MAX_BYTES:
        return _LENGTH
    labels = domain.split(".")
    parts = [local, *labels]
    is_address = (
        len(labels) > 1
        and _has_only(local, _IN_LOCAL_PARTS)
        and _is_in_order(local, frozenset("."))
        and all(_is_label(label) for label in labels)
        and not labels[-1].isdecimal()
    )
    if not is_address:
        return _ADDRESS
    return address if all(map(_is_in_one_script, parts)) else _SCRIPTS


def _is_label(label: str) -> bool:
    is_short = len(_encoded(label)) <= DOMAIN_LABEL_MAX_BYTES
    hyphen = frozenset("-")
    ends = {label[0], label[-1]}
    return is_short and _has_only(label, hyphen) and not ends & hyphen and _starts_well(label)


def _has_only(text: str, punctuation: frozenset[str]) -> bool:
    """Return whether of ASCII only letters, digits and this punctuation are there."""
    return all(each.isalnum() or each in punctuation for each in _NO_LETTER.findall(text))


def _is_in_order(text: str, separators: frozenset[str]) -> bool:
    """Return whether the separators are alone, between others, and marks are on something."""
    words = "".join(" " if each in separators else each for each in text).split(" ")
    return all(word and _starts_well(word) for word in words)


def _starts_well(word: str) -> bool:
    """Return whether a word begins with no mark, and has no heap of them (Unicode TS 39 5.4)."""
    if unicodedata.category(word[0]).startswith("M"):
        return False
    in_a_row: list[str] = []
    for each in unicodedata.normalize("NFD", word):
        in_a_row = [*in_a_row, each] if unicodedata.category(each) == "Mn" else []
        if len(in_a_row) > _MOST_MARKS or in_a_row[-2:-1] == in_a_row[-1:] != []:
            return False
    return True


def _is_in_one_script(text: str) -> bool:
    """Return whether the letters are of one script, or of those that a language mixes.

    Digits of two systems count as a mixture, too (Unicode TS 39 5.3).
    """
    scripts = {categories.alias(each) for each in text} - {"COMMON", "INHERITED"}
    zeros = {ord(each) - unicodedata.decimal(each) for each in text if each.isdecimal()}
    return len(zeros) <= 1 and (len(scripts) <= 1 or any(scripts <= each for each in _TOGETHER))
