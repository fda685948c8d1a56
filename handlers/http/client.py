"""What a request says about its client: address and device. Shown to its owner, never trusted."""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from tornado.httputil import HTTPServerRequest

from server.core.session import Device

MAX_USER_AGENT = 256
"""How many characters of a User-Agent are kept."""

LONGEST_ADDRESS = 64
"""Characters of an IPv6 address with the name of an interface, and more."""
ADDRESSES_REMEMBERED = 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Network = IPv4Network | IPv6Network


def device_of(request: HTTPServerRequest, trusted: Sequence[Network]) -> Device:
    """Return the device that a request comes from."""
    user_agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return Device(_CONTROL.sub(" ", user_agent), client_address(request, trusted))


def client_address(request: HTTPServerRequest, trusted: Sequence[Network]) -> str:
    """Return the peer's address, or behind trusted proxies the last address they vouch for.

    Forwarded headers count only from listed peers (ASVS 5.0 4.1.3). Only `X-Forwarded-For` is
    read: if two headers said different things, one could come from the client itself.
    """
    address = _canonical(request.remote_ip or "") or request.remote_ip or ""
    forwarded = ",".join(request.headers.get_list("X-Forwarded-For")).split(",")
    for each in reversed(forwarded):
        candidate = _canonical(each.strip())
        if candidate is None or not is_in(address, trusted):
            break
        address = candidate
    return address


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Return whether a text is an address, and in one of the networks."""
    known = _canonical(address)
    return known is not None and any(ip_address(known) in network for network in networks)


def _canonical(text: str) -> str | None:
    """Return an address in its one form; None for anything else."""
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(ADDRESSES_REMEMBERED)
def _parsed(text: str) -> str | None:
    """Remember the addresses of the latest clients: parsing one costs more than a look-up.

    A socket for both IPv4 and IPv6 names an IPv4 peer `::ffff:192.0.2.1`. A client that is listed,
    throttled or shown by its address must not have two of them.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
