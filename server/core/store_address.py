"""The rules for the store's address."""

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from server.core.addresses import is_loopback

SCHEMES: Final = ("redis", "rediss", "unix")
OPTIONS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Files for TLS. No option switches verification off: without a valid certificate for the host
name there is no connection."""
PORT: Final = 6379


def flaw_of_address(url: str, *, plaintext_allowed: bool) -> str | None:
    """Return what is wrong with an address, as the end of a sentence; None if nothing is.

    Plain TCP between machines is refused (ASVS 5.0 12.3.1).

    Args:
        url: the address as it was set.
        plaintext_allowed: whether the network to the store is trusted like one machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "it takes redis://, rediss:// or unix://, or nothing."
    if parts.scheme not in SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return "it takes redis://, rediss:// or unix://, or nothing."
    if flaw := _flaw_of_options(parts.scheme, parse_qs(parts.query, keep_blank_values=True)):
        return flaw
    if parts.scheme == "redis" and not (plaintext_allowed or is_loopback(host or "localhost")):
        return (
            "other machines could read and change everything on the way. Use rediss://, or set "
            "CURFEW_STORE_PLAINTEXT=allow if that network is yours alone."
        )
    return None


def place_of_address(url: str) -> str:
    """Return host and port, or the socket's path, of an address that has no flaw; no password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    host = parts.hostname or "localhost"
    return f"[{host}]:{parts.port or PORT}" if ":" in host else f"{host}:{parts.port or PORT}"


def files_of_address(url: str) -> list[str]:
    """Return the files for TLS that an address names; they must exist."""
    return [values[-1] for values in parse_qs(urlsplit(url).query).values()]


def _flaw_of_options(scheme: str, options: dict[str, list[str]]) -> str | None:
    for name, values in options.items():
        if scheme != "rediss" or name not in OPTIONS:
            return f"behind the question mark rediss:// takes {', '.join(OPTIONS)}, others nothing."
        if not values[-1]:
            return f"{name} takes the path of a PEM file."
    return None
