"""Names and addresses of this server: what is a loopback, an origin, a name for a certificate."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?")
_LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def own_origins(scheme: str, port: int) -> str:
    """The origins of a server on this machine, separated by commas."""
    default_port = {"http": 80, "https": 443}[scheme]
    suffix = "" if port == default_port else f":{port}"
    return ",".join(f"{scheme}://{host}{suffix}" for host in _LOOPBACK_HOSTS)


def is_origin(text: str) -> bool:
    """Whether browsers ever send this as an Origin: they leave a scheme's own port away."""
    if not _ORIGIN.fullmatch(text) or not has_port(text):
        return False
    parts = urlsplit(text)
    return parts.port != {"http": 80, "https": 443}[parts.scheme]


def has_port(url: str) -> bool:
    """Whether the port is one, or left away."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


def certificate_names(host: str, origins: Iterable[str]) -> frozenset[str]:
    """What browsers may call a server that listens on `host`: its names for a certificate.

    The loopback's are always among them, and `host` unless it only means all addresses.
    """
    named = {urlsplit(origin).hostname or "" for origin in origins}
    given = {"localhost", "127.0.0.1", "::1", host, *named}
    return frozenset(each for each in given if not _is_any(each))


def _is_any(host: str) -> bool:
    try:
        return not host or ip_address(host).is_unspecified
    except ValueError:
        return False
