"""The store's address as a typed value: one server, Sentinel's service, or a cluster.

    redis://user:password@host:port/db                                  one server
    redis+sentinel://user:password@host:port,host:port/service/db       Sentinel
    redis+cluster://user:password@host:port,host:port                   a cluster

`rediss` in place of `redis` means TLS, to every server and to every sentinel. The password before
the `@` is the store's; Sentinel's own is an option, `sentinel_password`.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, unquote

from server.core.addresses import is_loopback

TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Files for TLS. No option switches verification off: without a valid certificate for the host
name there is no connection."""
STORE_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
SENTINEL_OPTIONS: Final = ("sentinel_username", "sentinel_password")
"""With what a client signs in at the sentinels, which have users of their own."""
HIGHEST_PORT: Final = 65535
_SCHEME: Final = re.compile(r"(rediss?)\+(sentinel|cluster)://")
_PLACE: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\[\]:@,/?#\s%]+))(?::(\d{1,5}))?")


class Topology(StrEnum):
    """How many servers an address leads to, and who says which of them is asked."""

    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens.

    Attributes:
        host: a name or an address, without brackets.
        port: TCP port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether it can only be on this machine."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Login:
    """With what a client signs in.

    Attributes:
        user: None for the default user.
        password: None for none.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS that verifies certificate and host name. Each file is optional.

    Attributes:
        ca_certs: PEM file of the authorities; None for those that this machine trusts.
        certfile: PEM file of the client's certificate.
        keyfile: PEM file of its key.
    """

    ca_certs: str | None = None
    certfile: str | None = None
    keyfile: str | None = None

    @property
    def files(self) -> list[str]:
        """The files that must exist."""
        return [each for each in (self.ca_certs, self.certfile, self.keyfile) if each]


@dataclass(frozen=True, slots=True)
class SingleStore:
    """One server, or what leads to one.

    Attributes:
        url: `redis://`, `rediss://` or `unix://`, as the client library takes it.
    """

    url: str


@dataclass(frozen=True, slots=True)
class SentinelStore:
    """A service of Sentinel.

    Attributes:
        sentinels: where the sentinels are.
        service: Sentinel's name of the master.
        db: number of the database.
        login: for the store.
        sentinel_login: for the sentinels.
        tls: None for plain TCP.
    """

    sentinels: tuple[Place, ...]
    service: str
    db: int
    login: Login
    sentinel_login: Login
    tls: Tls | None

    topology = Topology.SENTINEL

    @property
    def places(self) -> tuple[Place, ...]:
        """What the address names."""
        return self.sentinels

    def __str__(self) -> str:
        """Return where it is, for people; no password."""
        return f"{self.service} of the sentinels {','.join(map(str, self.sentinels))}"


@dataclass(frozen=True, slots=True)
class ClusterStore:
    """A cluster.

    Attributes:
        seeds: some of its nodes.
        login: for each node.
        tls: None for plain TCP.
    """

    seeds: tuple[Place, ...]
    login: Login
    tls: Tls | None

    topology = Topology.CLUSTER

    @property
    def places(self) -> tuple[Place, ...]:
        """What the address names."""
        return self.seeds

    def __str__(self) -> str:
        """Return where it is, for people; no password."""
        return f"the cluster of {','.join(map(str, self.seeds))}"


StoreUrl = SingleStore | SentinelStore | ClusterStore


SHARDS_OF_CLUSTER: Final = 16
"""A cluster spreads its keys by shards. Each is in one piece on one master."""


class NoStoreUrl(ValueError):
    """A text is no address of a store. Its own text says what is wrong, as a sentence's end."""


def parse_store_url(url: str) -> StoreUrl:
    """Return what an address means. One server's address is not looked into.

    Raises:
        NoStoreUrl: it is the address of Sentinel or of a cluster, and has a flaw.
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        return SingleStore(url)
    topology = Topology(scheme[2])
    rest, _, query = url[scheme.end() :].partition("?")
    if "@" in query or "#" in url:
        raise NoStoreUrl("a password's ? is written %3F, its @ %40, its # %23, its / %2F.")
    login, _, rest = rest.rpartition("@")
    hosts, _, path = rest.partition("/")
    options = _read_options(query, topology, has_tls=scheme[1] == "rediss")
    tls = _tls_of(options) if scheme[1] == "rediss" else None
    if topology is Topology.CLUSTER:
        if path.strip("/") not in ("", "0"):
            raise NoStoreUrl("behind a cluster's hosts it takes nothing: a cluster has database 0.")
        return ClusterStore(_places(hosts, STORE_PORT, topology), _login_of(login), tls)
    sentinels = _places(hosts, SENTINEL_PORT, topology)
    service, db = _service_of(path)
    return SentinelStore(sentinels, service, db, _login_of(login), _sentinel_login(options), tls)


def shards_by_default(url: str) -> int:
    """Return in how many shards a store is laid out, unless a setting says so.

    Args:
        url: an address without a flaw; empty for the embedded store.
    """
    return SHARDS_OF_CLUSTER if isinstance(parse_store_url(url), ClusterStore) else 1


def _read_options(query: str, topology: Topology, *, has_tls: bool) -> dict[str, str]:
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    known = [
        *(TLS_OPTIONS if has_tls else ()),
        *(SENTINEL_OPTIONS if topology is Topology.SENTINEL else ()),
    ]
    for name, value in options.items():
        if name in TLS_OPTIONS and not has_tls:
            raise NoStoreUrl(f"{name} belongs to TLS: it takes rediss+{topology}://.")
        if name not in known:
            raise NoStoreUrl(
                f"behind the question mark it takes {', '.join(known) or 'nothing'}, and no other."
            )
        if not value:
            raise NoStoreUrl(
                f"{name} takes the path of a PEM file."
                if name in TLS_OPTIONS
                else f"{name} is empty."
            )
    return options


def _tls_of(options: dict[str, str]) -> Tls:
    return Tls(*(options.get(name) for name in TLS_OPTIONS))


def _sentinel_login(options: dict[str, str]) -> Login:
    user, password = (options.get(name) for name in SENTINEL_OPTIONS)
    if user and not password:
        raise NoStoreUrl("sentinel_username needs sentinel_password.")
    return Login(user, password)


def _login_of(text: str) -> Login:
    user, colon, password = text.partition(":")
    return Login(unquote(user) or None, unquote(password) if colon else None)


def _places(text: str, port: int, topology: Topology) -> tuple[Place, ...]:
    places = []
    for each in text.split(","):
        found = _PLACE.fullmatch(each)
        if not found or not 0 < int(found[3] or port) <= HIGHEST_PORT:
            shown = repr(each) if each else "an empty one"
            raise NoStoreUrl(
                f"its hosts are wrong at {shown}: it takes "
                f"redis+{topology}://user:password@host:{port},host:{port}, each a name or an "
                "address ([::1] for IPv6), and a port."
            )
        places.append(Place(found[1] or found[2], int(found[3] or port)))
    return tuple(dict.fromkeys(places))


def _service_of(path: str) -> tuple[str, int]:
    service, _, db = path.partition("/")
    if not service:
        raise NoStoreUrl(
            "the service's name is missing: it takes redis+sentinel://host:26379/SERVICE, with the "
            "name that `sentinel monitor` gives to the master."
        )
    if db and not (db.isascii() and db.isdecimal()):
        raise NoStoreUrl(
            "behind the service it takes the number of a database, as in /SERVICE/0, or nothing."
        )
    return unquote(service), int(db or 0)
