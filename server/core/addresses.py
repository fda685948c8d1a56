"""Rules for host names and addresses: loopback, origins, and the names in a certificate."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from server.core.listen_address import unix_path

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_IPV6_HOST_BITS: Final = 64
"""A customer gets at least a /64 (RFC 6177) and can change addresses within it for free."""
_LONGEST: Final = 45
"""Characters of an address, at most. What is longer comes from somebody who tries something."""
_REMEMBERED: Final = 4096


def is_loopback(host: str) -> bool:
    """Return whether `host` can only mean this machine, as a Unix socket does."""
    if unix_path(host) is not None:
        return True
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def own_origins(scheme: str, port: int) -> str:
    """Return the origins of a server on this machine, separated by commas."""
    default_port = {"http": 80, "https": 443}[scheme]
    suffix = "" if port == default_port else f":{port}"
    return ",".join(f"{scheme}://{host}{suffix}" for host in _LOOPBACK_HOSTS)


def own_cookie_name(base_path: str) -> str:
    """Return the name of the session cookie of a server below a path of its host.

    The prefix demands `Path=/`, so browsers send the cookie to the whole host. Two servers there
    must not have one name.
    """
    return "__Host-Http-curfew" + re.sub(r"[^A-Za-z0-9-]", "-", base_path)


def is_origin(text: str) -> bool:
    """Return whether a browser could send this text as an Origin.

    Browsers leave out the default port of a scheme, so an origin that names it never matches.
    """
    if not _ORIGIN.fullmatch(text) or not has_port(text):
        return False
    parts = urlsplit(text)
    return parts.port != {"http": 80, "https": 443}[parts.scheme]


def has_port(url: str) -> bool:
    """Return whether the port is valid or left out."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


def certificate_names(host: str, origins: Iterable[str]) -> frozenset[str]:
    """Return the names for the certificate of a server that listens on `host`.

    They are the loopback names, the hosts of the origins, and `host`, unless it means all
    addresses, as `0.0.0.0` does.
    """
    named = {urlsplit(origin).hostname or "" for origin in origins}
    given = {"localhost", "127.0.0.1", "::1", host, *named}
    return frozenset(each for each in given if not _is_any(each) and unix_path(each) is None)


def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 of an IPv6 address.

    Text that is no address is returned as it is.
    """
    return _known_network_of(address) if len(address) <= _LONGEST else _network_of(address)


def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS)}/{_IPV6_HOST_BITS}"


_known_network_of = lru_cache(_REMEMBERED)(_network_of)
"""Every request and every connection asks, mostly for the same few addresses."""


def _is_any(host: str) -> bool:
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False
