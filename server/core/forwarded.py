"""Reads what a proxy says about its client's address, and tells what it could not read.

A trusted proxy whose words are not understood is one client with all of its clients: their tries
are counted together. So it must not happen unseen.
"""

import re
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

LONGEST_ADDRESS: Final = 64
"""Characters of an IPv6 address with the name of an interface and a port, and more."""
ADDRESSES_REMEMBERED: Final = 1024

_PORT: Final = re.compile(r"(?::[0-9]{1,5})?")
_LETTERS: Final = re.compile(r"[A-Za-z]")
_DIGITS: Final = re.compile(r"[0-9]")
_STRANGE: Final = re.compile(r"[^\x20-\x7e]")


class Unnamed(StrEnum):
    """Why a trusted proxy's `X-Forwarded-For` names no client."""

    MISSING = "missing"
    """There is none."""
    EMPTY = "empty"
    UNKNOWN = "unknown"
    """The word `unknown` (RFC 7239 6.2)."""
    HIDDEN = "hidden"
    """A word that begins with `_` (RFC 7239 6.3). It may be a new one for each request."""
    OTHER = "other"


def address_in(entry: str) -> str | None:
    """Return the address in one entry of `X-Forwarded-For`; None if it names none.

    Gateways also write a port behind it, brackets around IPv6 and quotes around all of it, as RFC
    7239 4 has them. A port behind IPv6 without brackets is one if nothing else can be meant.
    """
    text = entry.strip()
    if len(text) > LONGEST_ADDRESS:
        return None
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        is_enclosed = ":" in address and text[1 + len(address) :] and _PORT.fullmatch(port)
        return canonical(address) if is_enclosed else None
    if text.count(":") == 1:
        address, port = text.split(":")
        return canonical(address) if port and _PORT.fullmatch(f":{port}") else None
    address, _, port = text.rpartition(":")
    has_port = _PORT.fullmatch(f":{port}") and ":" in address
    return canonical(text) or (canonical(address) if port and has_port else None)


def canonical(text: str) -> str | None:
    """Return an address in its one form; None for anything else."""
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


def why_unnamed(entry: str) -> Unnamed:
    """Return why an entry names no client."""
    text = entry.strip().strip('"').lower()
    if not text:
        return Unnamed.EMPTY
    if text.partition(":")[0] == "unknown":
        return Unnamed.UNKNOWN
    return Unnamed.HIDDEN if text.startswith("_") else Unnamed.OTHER


def shape_of(entry: str) -> str:
    """Return an entry with its letters and digits made alike: it may be a secret."""
    text = entry.strip()[:LONGEST_ADDRESS]
    return _STRANGE.sub("?", _DIGITS.sub("9", _LETTERS.sub("a", text)))


@lru_cache(ADDRESSES_REMEMBERED)
def _parsed(text: str) -> str | None:
    """Remember the addresses of the latest clients: parsing one costs more than a look-up.

    A socket for both IPv4 and IPv6 names an IPv4 peer `::ffff:192.0.2.1`, and a link-local peer
    with the interface, `fe80::1%eth0`. A client that is listed, throttled or shown by its address
    must not have two of them.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Address(int(address)))
