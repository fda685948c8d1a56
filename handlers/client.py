"""What a request tells of its client: address and device. Shown to its owner, never trusted."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from tornado.httputil import HTTPServerRequest

from server.core.session import Device

MAX_USER_AGENT = 256
"""Characters kept of what a browser says of itself."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Network = IPv4Network | IPv6Network


def device_of(request: HTTPServerRequest, trusted: Sequence[Network]) -> Device:
    """The device that a session is begun on."""
    user_agent = _CONTROL.sub(" ", request.headers.get("User-Agent", ""))[:MAX_USER_AGENT]
    return Device(user_agent, client_address(request, trusted))


def client_address(request: HTTPServerRequest, trusted: Sequence[Network]) -> str:
    """The client's address: the peer's, or behind trusted proxies the last one they vouch for.

    Forwarded headers count only from listed peers (ASVS 5.0 4.1.3).
    """
    address = request.remote_ip or ""
    forwarded = ",".join(request.headers.get_list("X-Forwarded-For")).split(",")
    for candidate in reversed(forwarded):
        if not _is_in(address, trusted) or not _is_address(candidate.strip()):
            break
        address = candidate.strip()
    return address


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
