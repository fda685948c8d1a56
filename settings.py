"""All settings, typed, with their defaults, from environment variables.

A wrong value stops the start with one line that names the variable, what it got and what it takes.
docs/settings.md gives the reason for each default.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

from server.core.addresses import is_loopback, own_origins
from server.core.environment import Environment, refusal
from server.core.errors import ConfigurationError
from server.core.session import Rules
from server.core.store_address import files_of_address, flaw_of_address
from server.core.throttling import SignUpLimits
from server.core.visitors import VisitorLimits
from server.crypto.key_file import make_key_file, read_key_file, split_keys
from server.crypto.keyring import Keyring, WeakKey, new_secret, parse_secret

_SHORTEST_WATCHDOG: Final = timedelta(seconds=3)
"""A process shows a heartbeat every second."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Curfew process runs with.

    Attributes:
        host: address to listen on; by default the loopback address.
        port: TCP port.
        processes: number of server processes that share the port.
        data_dir: holds the embedded store, the keys and the lock; one running server per folder.
        store_url: an external store; empty for the embedded one.
        store_wait: how long a start waits for a store that is not there yet.
        shards: parts of the store that users are spread over; the first start on a store fixes it.
        secret_keys: newest first; the first one writes, all of them read.
        secret_keys_file: the file that holds the keys; None if a variable holds them.
        origins: browser origins that may sign in, write and open sockets; compared exactly.
        rules: the session policy. Idle 30 min and absolute 12 h are inside NIST SP 800-63B-4 AAL2
            (1 h, 24 h) and OWASP's range for low risk.
        rules_change: whether nodes with other rules may serve beside this one for a while.
        node_lease: how long a node may serve without proving contact with the store.
        hold_timeout: how long a node that lost its lease holds its sockets before it closes them.
        sweep_interval: time between two comparisons of all open sockets with the store.
        termination_wait: how long a termination waits for other nodes before it is `pending`.
        termination_replicas: number of replicas that must have an end before it is `complete`.
        signup: whether people may make their own accounts.
        sign_up_limits: how many accounts they may make in an hour.
        visitor_limits: how much visitors without an account may keep.
        trusted_proxies: peers whose forwarded headers are believed.
        tls_cert: PEM file; with `tls_key` the server speaks TLS itself.
        tls_key: PEM file.
        tls_self_made: whether the server makes these two files itself, in the data folder.
        watchdog: how long a process may show no heartbeat before it is killed and replaced; None
            for ever.
        log_format: `console` or `json`.
        log_file: where log lines are appended; None for standard error.
        cookie_name: name of the only cookie.
    """

    host: str
    port: int
    processes: int
    data_dir: Path
    store_url: str
    store_wait: timedelta
    shards: int
    secret_keys: tuple[bytes, ...]
    secret_keys_file: Path | None
    origins: frozenset[str]
    rules: Rules
    rules_change: bool
    node_lease: timedelta
    hold_timeout: timedelta
    sweep_interval: timedelta
    termination_wait: timedelta
    termination_replicas: int
    signup: bool
    sign_up_limits: SignUpLimits
    visitor_limits: VisitorLimits
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    tls_cert: Path | None
    tls_key: Path | None
    tls_self_made: bool
    watchdog: timedelta | None
    log_format: str
    log_file: Path | None
    cookie_name: str

    @property
    def pins_https(self) -> bool:
        """Whether browsers are told to use only HTTPS for this host, for a year (RFC 6797).

        Not with a self-made certificate. Browsers apply it to the host on every port: for localhost
        they would refuse plain HTTP to every other program on this machine. It also removes the
        way past the browser's certificate warning (RFC 6797 12.1), which people need here.
        """
        return self.tls_cert is not None and not self.tls_self_made

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that the server answers: the hosts of the allowed origins."""
        return frozenset(origin.split("://", 1)[1] for origin in self.origins)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings. On loopback, make the key file if it is missing.

    Raises:
        ConfigurationError: its text is one line, for the person who starts the program.
    """
    read = Environment(environment)
    host, port = read.text("CURFEW_HOST", "127.0.0.1"), read.integer("CURFEW_PORT", 8888, 0, 65535)
    loopback = is_loopback(host)
    data_dir = Path(read.text("CURFEW_DATA_DIR", "./data")).absolute()
    tls_self_made = read.text("CURFEW_TLS_CERT", "") == "self"
    tls_cert, tls_key = _tls_files(read, data_dir, self_made=tls_self_made)
    proxies = read.networks("CURFEW_TRUSTED_PROXIES")
    if not (loopback or tls_cert or proxies):
        raise _open_to_eavesdroppers(host)
    key_file = _key_file(read, data_dir)
    return Settings(
        host=host,
        port=port,
        processes=read.integer("CURFEW_PROCESSES", 1, 1, 64),
        data_dir=data_dir,
        store_url=_store_url(read),
        store_wait=read.duration("CURFEW_STORE_WAIT", "30s"),
        shards=read.integer("CURFEW_SHARDS", 1, 1, 100),
        secret_keys=_secret_keys(read, key_file, loopback=loopback),
        secret_keys_file=key_file,
        origins=read.origins("CURFEW_ORIGINS", own_origins("https" if tls_cert else "http", port)),
        rules=_rules(read),
        rules_change=read.choice("CURFEW_RULES_CHANGE", "refuse", "refuse", "rolling") == "rolling",
        node_lease=read.duration("CURFEW_NODE_LEASE", "5s"),
        hold_timeout=read.duration("CURFEW_HOLD_TIMEOUT", "30s"),
        sweep_interval=read.duration("CURFEW_SWEEP_INTERVAL", "30s"),
        termination_wait=read.duration("CURFEW_TERMINATION_WAIT", "2s"),
        termination_replicas=read.integer("CURFEW_TERMINATION_REPLICAS", 0, 0, 9),
        signup=_signup(read, loopback=loopback),
        sign_up_limits=_sign_up_limits(read),
        visitor_limits=_visitor_limits(read),
        trusted_proxies=proxies,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_self_made=tls_self_made,
        watchdog=_watchdog(read),
        log_format=read.choice("CURFEW_LOG_FORMAT", "console", "console", "json"),
        log_file=_log_file(read),
        cookie_name=read.cookie_name("CURFEW_COOKIE_NAME", "__Host-Http-curfew"),
    )


def _open_to_eavesdroppers(host: str) -> ConfigurationError:
    return ConfigurationError(
        f"CURFEW_HOST is {host!r}, which other machines can reach over plain HTTP. Set "
        "CURFEW_TLS_CERT and CURFEW_TLS_KEY, or CURFEW_TRUSTED_PROXIES for a TLS proxy."
    )


def _rules(read: Environment) -> Rules:
    return Rules(
        idle_timeout=read.duration("CURFEW_IDLE_TIMEOUT", "30m"),
        absolute_timeout=read.duration("CURFEW_ABSOLUTE_TIMEOUT", "12h"),
        rotation_interval=read.duration("CURFEW_ROTATION_INTERVAL", "15m"),
        rotation_grace=read.duration("CURFEW_ROTATION_GRACE", "30s"),
        reauthentication_window=read.duration("CURFEW_REAUTHENTICATION_WINDOW", "5m"),
        touch_interval=read.duration("CURFEW_TOUCH_INTERVAL", "30s"),
        max_sessions_per_user=read.integer("CURFEW_MAX_SESSIONS_PER_USER", 10, 1, 1000),
        second_factor_required=read.choice(
            "CURFEW_SECOND_FACTOR", "optional", "optional", "required"
        )
        == "required",
    )


def _watchdog(read: Environment) -> timedelta | None:
    text = read.text("CURFEW_WATCHDOG", "10s")
    if text == "off":
        return None
    limit = read.duration("CURFEW_WATCHDOG", "10s")
    if limit < _SHORTEST_WATCHDOG:
        raise refusal("CURFEW_WATCHDOG", text, "off, or a duration from 3s")
    return limit


def _log_file(read: Environment) -> Path | None:
    text = read.text("CURFEW_LOG_FILE", "")
    return Path(text).absolute() if text else None


def _signup(read: Environment, *, loopback: bool) -> bool:
    default = "open" if loopback else "closed"
    return read.choice("CURFEW_SIGNUP", default, "open", "closed") == "open"


def _sign_up_limits(read: Environment) -> SignUpLimits:
    return SignUpLimits(
        per_address=read.integer("CURFEW_SIGNUPS_PER_ADDRESS", 60, 1, 1_000_000),
        in_all=read.integer("CURFEW_SIGNUPS_IN_ALL", 1000, 1, 1_000_000),
    )


def _visitor_limits(read: Environment) -> VisitorLimits:
    return VisitorLimits(
        sessions_per_address=read.integer("CURFEW_ANONYMOUS_PER_ADDRESS", 1000, 1, 10_000_000),
        bytes_per_address=read.integer("CURFEW_ANONYMOUS_MIB_PER_ADDRESS", 8, 1, 100_000) * 2**20,
        sessions_in_all=read.integer("CURFEW_ANONYMOUS_IN_ALL", 50_000, 1, 10_000_000),
        bytes_in_all=read.integer("CURFEW_ANONYMOUS_MIB_IN_ALL", 64, 1, 100_000) * 2**20,
    )


def _tls_files(
    read: Environment, data_dir: Path, *, self_made: bool
) -> tuple[Path | None, Path | None]:
    """Return the certificate's file and the key's; None for both without TLS."""
    key = _existing_file(read, "CURFEW_TLS_KEY", "the path of a PEM file")
    if self_made and key:
        raise ConfigurationError("CURFEW_TLS_CERT=self makes its own key; unset CURFEW_TLS_KEY.")
    if self_made:
        return data_dir / "tls" / "certificate.pem", data_dir / "tls" / "key.pem"
    certificate = _existing_file(read, "CURFEW_TLS_CERT", "the path of a PEM file, or self")
    if (certificate is None) != (key is None):
        raise ConfigurationError("CURFEW_TLS_CERT and CURFEW_TLS_KEY go together; set both.")
    return certificate, key


def _existing_file(read: Environment, name: str, takes: str) -> Path | None:
    text = read.text(name, "")
    if text and not Path(text).is_file():
        raise refusal(name, text, takes)
    return Path(text) if text else None


def _key_file(read: Environment, data_dir: Path) -> Path | None:
    """Return the file that holds the keys, or None if a variable holds them."""
    if read.text("CURFEW_SECRET_KEYS", ""):
        return None
    return Path(read.text("CURFEW_SECRET_KEYS_FILE", "") or data_dir / "secret_keys")


def _secret_keys(read: Environment, file: Path | None, *, loopback: bool) -> tuple[bytes, ...]:
    """Return the keys, checked.

    The file is made at the first start, but only on loopback and if no file was named: elsewhere a
    person makes it, so that no server runs on keys that nobody knows of.
    """
    if file is None:
        return _parsed("CURFEW_SECRET_KEYS", read.text("CURFEW_SECRET_KEYS", ""))
    if loopback and not read.text("CURFEW_SECRET_KEYS_FILE", "") and not file.exists():
        make_key_file(file, new_secret())
    return read_secret_keys(file)


def read_secret_keys(file: Path) -> tuple[bytes, ...]:
    """Return the keys in a key file, checked.

    Raises:
        ConfigurationError: the file cannot be read, or its keys protect nothing.
    """
    name = "CURFEW_SECRET_KEYS_FILE"
    return _parsed(name, read_key_file(name, file))


def _parsed(name: str, text: str) -> tuple[bytes, ...]:
    try:
        secrets = tuple(parse_secret(each) for each in split_keys(text))
        Keyring.from_secrets(secrets)
    except WeakKey as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return secrets


def _store_url(read: Environment) -> str:
    """Return the address of the external store, checked; empty for the embedded store."""
    text = read.text("CURFEW_STORE_URL", "")
    plaintext = read.choice("CURFEW_STORE_PLAINTEXT", "refuse", "refuse", "allow")
    if not text:
        return ""
    if flaw := _flaw_of_store(text, plaintext_allowed=plaintext == "allow"):
        shown = text.split("@")[-1].split("?")[0]  # the rest may hold a password
        raise ConfigurationError(f"CURFEW_STORE_URL is {shown!r}; {flaw}")
    return text


def _flaw_of_store(url: str, *, plaintext_allowed: bool) -> str | None:
    if flaw := flaw_of_address(url, plaintext_allowed=plaintext_allowed):
        return flaw
    missing = [each for each in files_of_address(url) if not Path(each).is_file()]
    return f"there is no file {missing[0]}." if missing else None
