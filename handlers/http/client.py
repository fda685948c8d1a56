"""What a request says about its client: address and device. Shown to its owner, never trusted."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from tornado.httputil import HTTPServerRequest

from server.core.forwarded import Unnamed, address_in, canonical, why_unnamed
from server.core.session import Device

MAX_USER_AGENT = 256
"""How many characters of a User-Agent are kept."""

DEVICES_REMEMBERED = 1024
REMEMBERED_CHARACTERS = 256
"""So many of the latest devices, with at most so much of `X-Forwarded-For`, are made once."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Network = IPv4Network | IPv6Network
Report = Callable[[str, Unnamed, str], None]
"""Takes the address of a trusted proxy, why it names no client, and what it says."""


class DeviceReader:
    """Reads which device a request comes from, and remembers the latest.

    Args:
        trusted: proxies that are believed.
        report: is told if a trusted proxy names no client. Then its own address is the client's:
            to count all of its clients together is worse for them, and better against guessing.
    """

    def __init__(self, trusted: Sequence[Network], report: Report) -> None:
        self._trusted = trusted
        self._report = report
        self._remembered = lru_cache(DEVICES_REMEMBERED)(self._read)

    def device_of(self, request: HTTPServerRequest) -> Device:
        """Return the device that a request comes from."""
        user_agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
        forwarded = request.headers.get("X-Forwarded-For")
        read = self._remembered if len(forwarded or "") <= REMEMBERED_CHARACTERS else self._read
        device, unnamed = read(user_agent, request.remote_ip or "", forwarded)
        if unnamed is not None:
            self._report(*unnamed)
        return device

    def _read(
        self, user_agent: str, peer: str, forwarded: str | None
    ) -> tuple[Device, tuple[str, Unnamed, str] | None]:
        address, unnamed = address_behind(peer, forwarded, self._trusted)
        return Device(_CONTROL.sub(" ", user_agent), address), unnamed


def client_address(request: HTTPServerRequest, trusted: Sequence[Network]) -> str:
    """Return the address that a request comes from, as `address_behind` finds it."""
    forwarded = request.headers.get("X-Forwarded-For")
    return address_behind(request.remote_ip or "", forwarded, trusted)[0]


def address_behind(
    peer: str, forwarded: str | None, trusted: Sequence[Network]
) -> tuple[str, tuple[str, Unnamed, str] | None]:
    """Return the peer's address, or behind trusted proxies the last address they vouch for.

    Forwarded headers count only from listed peers (ASVS 5.0 4.1.3). Only `X-Forwarded-For` is
    read: if two headers said different things, one could come from the client itself. What is no
    address ends the chain: the entries before it may be the client's own words.

    Args:
        peer: who the connection comes from.
        forwarded: all lines of `X-Forwarded-For`, joined by commas; None if there is none.
        trusted: proxies that are believed.

    Returns:
        The address, and what is to be reported if a trusted proxy names no client.
    """
    address = canonical(peer) or peer
    if forwarded is None:
        return address, (address, Unnamed.MISSING, "") if is_in(address, trusted) else None
    for entry in reversed(forwarded.split(",")):
        if not is_in(address, trusted):
            break
        candidate = address_in(entry)
        if candidate is None:
            return address, (address, why_unnamed(entry), entry)
        address = candidate
    return address, None


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Return whether a text is an address, and in one of the networks."""
    known = canonical(address)
    return known is not None and any(ip_address(known) in network for network in networks)
