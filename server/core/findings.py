"""What is wrong with a set-up: each finding names a setting, what was found, and what is needed.

The settings are allowed to be like this, so a server starts. But what their owner wants from them,
they do not do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Final
from urllib.parse import urlsplit

from server.core.addresses import is_loopback
from server.core.durations import as_setting
from server.core.session import Rules

SHORTEST_LEASE: Final = timedelta(seconds=3)
"""A node proves its place every third of the lease. The answer may take two tries of 0.75 s."""
FEW_FILES: Final = 4096
"""A process with 1024, which many systems give, serves fewer than 900 connections."""
CLOCKS_APART: Final = timedelta(seconds=60)
"""What one node signs is read by another within a minute of its time."""
OLDEST_REDIS: Final = (7, 2)
OLDEST_USED: Final = (7, 0)
"""Earlier ones do not count the entries of a stream, so lost ones would not be noticed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        setting: its name, or what else has to be changed.
        found: what is there.
        needed: what should be.
        is_problem: whether no server starts so, or no browser connects to it. Anything else is a
            warning.
    """

    setting: str
    found: str
    needed: str
    is_problem: bool = False

    def __str__(self) -> str:
        """Return it in one line."""
        kind = "problem" if self.is_problem else "warning"
        return f"{kind:<10} {self.setting}: {self.found}; needed: {self.needed}"


def findings_of_rules(rules: Rules) -> list[Finding]:
    """Return which session rules have no effect because of an absolute timeout."""
    ordinary = "CURFEW_ABSOLUTE_TIMEOUT", rules.absolute_timeout
    remembered = "CURFEW_REMEMBER_ABSOLUTE_TIMEOUT", rules.remember_absolute_timeout
    never_idle = "sessions never end by being idle"
    bounded = {
        "CURFEW_IDLE_TIMEOUT": (rules.idle_timeout, ordinary, never_idle),
        "CURFEW_REMEMBER_IDLE_TIMEOUT": (rules.remember_idle_timeout, remembered, never_idle),
        "CURFEW_ROTATION_INTERVAL": (
            rules.rotation_interval, ordinary, "tokens are never rotated"
        ),
        "CURFEW_ROTATION_GRACE": (
            rules.rotation_grace, ordinary, "a stolen token is never found out"
        ),
        "CURFEW_REAUTHENTICATION_WINDOW": (
            rules.reauthentication_window, ordinary, "a password is asked for once in a session"
        ),
    }  # fmt: skip
    return [
        Finding(
            name,
            f"{as_setting(value)} is longer than {limit_name} ({as_setting(limit)}), so {effect}",
            "a shorter duration",
        )
        for name, (value, (limit_name, limit), effect) in bounded.items()
        if value > limit
    ]


def findings_of_lease(lease: timedelta, watchdog: timedelta | None) -> list[Finding]:
    """Return what is wrong with the lease."""
    findings = []
    if lease < SHORTEST_LEASE:
        findings.append(
            Finding(
                "CURFEW_NODE_LEASE",
                f"{as_setting(lease)} is too short: after one slow answer of the store this node "
                "stops serving",
                f"{as_setting(SHORTEST_LEASE)} or more",
            )
        )
    if watchdog is not None and watchdog <= lease:
        findings.append(
            Finding(
                "CURFEW_WATCHDOG",
                f"{as_setting(watchdog)} is not longer than CURFEW_NODE_LEASE ("
                f"{as_setting(lease)}), so a hanging process is replaced before it is fenced",
                "a duration above the lease",
            )
        )
    return findings


def findings_of_origins(
    origins: Collection[str], *, is_default: bool, proxied: bool
) -> list[Finding]:
    """Return which origins no browser can sign in from.

    Args:
        origins: the allowed ones.
        is_default: whether nobody set them.
        proxied: whether there are trusted proxies.
    """
    if is_default and proxied:
        return [
            Finding(
                "CURFEW_ORIGINS",
                "it is not set, so behind the trusted proxies every other host name gets 421",
                "the origin that people type, such as https://app.example",
            )
        ]
    return [
        Finding(
            "CURFEW_ORIGINS",
            f"{origin} is plain HTTP, over which browsers keep no Secure cookie",
            "https://",
        )
        for origin in sorted(origins)
        if origin.startswith("http:") and not is_loopback(urlsplit(origin).hostname or "")
    ]


def findings_of_proxies(proxies: Collection[IPv4Network | IPv6Network]) -> list[Finding]:
    """Return which trusted proxies are everybody."""
    return [
        Finding(
            "CURFEW_TRUSTED_PROXIES",
            f"{each} is everybody, who can then claim any client address",
            "the addresses of your proxies",
        )
        for each in proxies
        if each.prefixlen == 0
    ]


def findings_of_files(soft: int, connections: int) -> list[Finding]:
    """Return what is wrong with the limit of open files.

    Args:
        soft: the limit; below 0 for none.
        connections: how many connections a process may have with it.
    """
    if not 0 <= soft < FEW_FILES:
        return []
    found = f"{soft}, so each process serves at most {connections} connections"
    return [Finding("limit of open files", found, f"ulimit -n {FEW_FILES} or more (LimitNOFILE=)")]


def findings_of_version(server: Mapping[str, object]) -> list[Finding]:
    """Return what is wrong with the store's version.

    Args:
        server: what `INFO server` answers. Every Valkey calls itself a Redis 7.2, too.
    """
    version = str(server.get("redis_version", ""))
    if version and _parts(version) < OLDEST_REDIS:
        found = f"the store is Redis {version}, which cannot say whether an end is on its disk"
        return [Finding("CURFEW_STORE_URL", found, "Redis 7.2 or later, or Valkey")]
    return []


def mode_of(server: Mapping[str, object]) -> str:
    """Return `standalone`, `sentinel` or `cluster`; empty if the server does not say.

    Args:
        server: what `INFO server` answers.
    """
    return str(server.get("redis_mode", server.get("server_mode", "")))


def flaw_of_kind(server: Mapping[str, object]) -> str | None:
    """Return why a server is no store; None if it is one, or does not say.

    Args:
        server: what `INFO server` answers.
    """
    if mode_of(server) != "sentinel":
        return None
    return (
        "CURFEW_STORE_URL leads to a sentinel. Needed: the store, or "
        "redis+sentinel://host:26379/SERVICE."
    )


def flaw_of_version(server: Mapping[str, object]) -> str | None:
    """Return why a store is too old to be used; None if it is not, or does not say.

    Args:
        server: what `INFO server` answers.
    """
    version = str(server.get("redis_version", ""))
    if version and _parts(version) < OLDEST_USED:
        return (
            f"CURFEW_STORE_URL leads to Redis {version}, which does not count the entries of a "
            "stream. Needed: Redis 7.0 or later, better 7.2, or Valkey."
        )
    return None


def finding_of_keys(data: Sequence[int], ring: Sequence[int]) -> Finding:
    """Return that the keys open nothing in the store.

    Args:
        data: versions of the keys that the data is under; empty if they are unknown.
        ring: versions of the keys here.
    """
    under, here = (", ".join(map(str, each)) for each in (data, ring))
    found = f"the data is under key {under or '(unknown)'}, and the keys here are {here}"
    needed = "the keys that belong to the data"
    return Finding("CURFEW_SECRET_KEYS_FILE, CURFEW_SECRET_KEYS", found, needed, is_problem=True)


def findings_of_clock(ahead: timedelta) -> list[Finding]:
    """Return what is wrong with the store's clock.

    Args:
        ahead: how far it is ahead of this machine's; below 0 if it is behind.
    """
    if abs(ahead) < CLOCKS_APART:
        return []
    direction = "ahead of" if ahead > timedelta() else "behind"
    found = f"it is {round(abs(ahead).total_seconds())} s {direction} the clock of this machine"
    return [Finding("clock of the store", found, "both synchronised, as by NTP")]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split(".")[:2] if each.isdecimal())
