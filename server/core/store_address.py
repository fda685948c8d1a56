"""The rules for the store's address."""

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from server.core.addresses import is_loopback
from server.core.store_url import (
    STORE_PORT,
    TLS_OPTIONS,
    ClusterStore,
    NoStoreUrl,
    SentinelStore,
    StoreUrl,
    parse_store_url,
)

SCHEMES: Final = ("redis", "rediss", "unix")
OPTIONS: Final = TLS_OPTIONS
PORT: Final = STORE_PORT
_SCHEMES_FLAW: Final = "it takes redis://, rediss:// or unix://, or nothing."
_MORE_SCHEMES_FLAW: Final = (
    "several servers take redis+sentinel:// or redis+cluster://, or rediss+ for TLS."
)
_PLAINTEXT_FLAW: Final = (
    "other machines could read and change everything on the way. Use {}, or set "
    "CURFEW_STORE_PLAINTEXT=allow if that network is yours alone."
)


def flaw_of_address(url: str, *, plaintext_allowed: bool) -> str | None:
    """Return what is wrong with an address, as the end of a sentence; None if nothing is.

    Plain TCP between machines is refused (ASVS 5.0 12.3.1).

    Args:
        url: the address as it was set.
        plaintext_allowed: whether the network to the store is trusted like one machine.
    """
    try:
        store = parse_store_url(url)
    except NoStoreUrl as error:
        return str(error)
    if isinstance(store, SentinelStore | ClusterStore):
        return _flaw_of_several(store, plaintext_allowed=plaintext_allowed)
    return _flaw_of_one(url, plaintext_allowed=plaintext_allowed)


def _flaw_of_several(store: SentinelStore | ClusterStore, *, plaintext_allowed: bool) -> str | None:
    if store.tls or plaintext_allowed or all(each.is_here for each in store.places):
        return None
    return _PLAINTEXT_FLAW.format(f"rediss+{store.topology}://")


def _flaw_of_one(url: str, *, plaintext_allowed: bool) -> str | None:
    scheme = url.partition("://")[0].lower()
    if "sentinel" in scheme or "cluster" in scheme:
        return _MORE_SCHEMES_FLAW
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return _MORE_SCHEMES_FLAW if _has_list(url) else _SCHEMES_FLAW
    if parts.scheme not in SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return _SCHEMES_FLAW
    if parts.scheme != "unix" and "," in host:
        return _MORE_SCHEMES_FLAW
    if flaw := _flaw_of_options(parts.scheme, parse_qs(parts.query, keep_blank_values=True)):
        return flaw
    if parts.scheme == "redis" and not (plaintext_allowed or is_loopback(host or "localhost")):
        return _PLAINTEXT_FLAW.format("rediss://")
    return None


def _has_list(url: str) -> bool:
    """Return whether the hosts of an address are a list."""
    return "," in url.partition("://")[2].rpartition("@")[2].partition("/")[0]


def place_of_address(url: str) -> str:
    """Return host and port, or the socket's path, of an address that has no flaw; no password."""
    store = parse_store_url(url)
    if isinstance(store, SentinelStore | ClusterStore):
        return str(store)
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    host = parts.hostname or "localhost"
    return f"[{host}]:{parts.port or PORT}" if ":" in host else f"{host}:{parts.port or PORT}"


def shown_address(url: str) -> str:
    """Return what of an address, which may have any flaw, is shown: nothing that is a password."""
    body, _, options = url.partition("?")
    if "@" in options:  # one of a password's own, which belongs to what is before it
        return f"{url.partition('://')[0][:30]}://..." if "://" in body else "..."
    return body.rpartition("@")[2]


def files_of_address(url: str) -> list[str]:
    """Return the files for TLS that an address names; they must exist."""
    store: StoreUrl = parse_store_url(url)
    if isinstance(store, SentinelStore | ClusterStore):
        return store.tls.files if store.tls else []
    return [values[-1] for values in parse_qs(urlsplit(url).query).values()]


def replicas_of_address(url: str) -> int:
    """Return how many replicas an end waits for unless another number is set.

    Sentinel and clusters may promote a replica at any moment, and what it lacks is lost.
    """
    return int(isinstance(parse_store_url(url), SentinelStore | ClusterStore))


def _flaw_of_options(scheme: str, options: dict[str, list[str]]) -> str | None:
    for name, values in options.items():
        if scheme != "rediss" or name not in OPTIONS:
            return f"behind the question mark rediss:// takes {', '.join(OPTIONS)}, others nothing."
        if not values[-1]:
            return f"{name} takes the path of a PEM file."
    return None
