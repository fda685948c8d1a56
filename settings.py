"""All settings, typed, with their defaults, from environment variables.

A wrong value stops the start with one line that names the variable, what it got and what it takes.
docs/settings.md gives the reason for each default.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final

from server.core.addresses import is_loopback, own_cookie_name, own_origins
from server.core.environment import Environment, refusal
from server.core.errors import ConfigurationError
from server.core.listen_address import flaw_of_unix_address
from server.core.password_help import read_password_help
from server.core.remembering import RememberMe
from server.core.rule_settings import read_rules, read_sign_up_limits, read_visitor_limits
from server.core.running import Running, read_running
from server.core.session import Rules
from server.core.setting_names import is_link, refuse_unknown
from server.core.store_settings import (
    allows_plaintext,
    read_replicas,
    read_shards,
    read_store_url,
)
from server.core.throttling import SignUpLimits
from server.core.visitors import VisitorLimits
from server.crypto.secret_keys import key_file, secret_keys

_SHORTEST_WATCHDOG: Final = timedelta(seconds=3)
"""A process shows a heartbeat every second."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Curfew process runs with.

    Attributes:
        host: address to listen on; by default the loopback address. `unix:` and a path for a Unix
            socket.
        port: TCP port.
        processes: number of server processes that share the port.
        data_dir: holds the embedded store, the keys and the lock; one running server per folder.
        store_url: an external store; empty for the embedded one.
        store_plaintext: whether the store may be on another machine without TLS.
        store_wait: how long a start waits for a store that is not there yet.
        shards: parts of the store that users are spread over; the first start on a store fixes it.
        secret_keys: newest first; the first one writes, all of them read.
        secret_keys_file: the file that holds the keys; None if a variable holds them.
        origins: browser origins that may sign in, write and open sockets; compared exactly.
        base_path: the path of the host below which everything is; empty for the whole host.
        rules: the session policy. Idle 30 min and absolute 12 h are inside NIST SP 800-63B-4 AAL2
            (1 h, 24 h) and OWASP's range for low risk.
        remember: whether people may stay signed in after the browser has closed.
        rules_change: whether nodes with other rules may serve beside this one for a while.
        node_lease: how long a node may serve without proving contact with the store.
        hold_timeout: how long a node that lost its lease holds its sockets before it closes them.
        sweep_interval: time between two comparisons of all open sockets with the store.
        termination_wait: how long a termination waits for other nodes before it is `pending`.
        termination_replicas: number of replicas that must have an end before it is `complete`.
        signup: whether people may make their own accounts.
        sign_up_limits: how many accounts they may make in an hour.
        password_help: where who forgot a password finds help; empty for a sentence.
        visitor_limits: how much visitors without an account may keep.
        trusted_proxies: peers whose forwarded headers are believed.
        tls_cert: PEM file; with `tls_key` the server speaks TLS itself.
        tls_key: PEM file.
        tls_self_made: whether the server makes these two files itself, in the data folder.
        watchdog: how long a process may show no heartbeat before it is killed and replaced; None
            for ever.
        running: where metrics are served, what is logged, and how the server stops.
        log_format: `console` or `json`.
        log_file: where log lines are appended; None for standard error.
        cookie_name: name of the only cookie.
    """

    host: str
    port: int
    processes: int
    data_dir: Path
    store_url: str
    store_plaintext: bool
    store_wait: timedelta
    shards: int
    secret_keys: tuple[bytes, ...]
    secret_keys_file: Path | None
    origins: frozenset[str]
    base_path: str
    rules: Rules
    remember: RememberMe
    rules_change: bool
    node_lease: timedelta
    hold_timeout: timedelta
    sweep_interval: timedelta
    termination_wait: timedelta
    termination_replicas: int
    signup: bool
    sign_up_limits: SignUpLimits
    password_help: str
    visitor_limits: VisitorLimits
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    tls_cert: Path | None
    tls_key: Path | None
    tls_self_made: bool
    watchdog: timedelta | None
    running: Running
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
    def scheme(self) -> str:
        """What the server speaks itself: `http` or `https`."""
        return "https" if self.tls_cert else "http"

    @property
    def has_own_keys(self) -> bool:
        """Whether the secret keys are in the data folder, where no person put them."""
        return self.secret_keys_file == self.data_dir / "secret_keys"

    @property
    def needs_folder(self) -> bool:
        """Whether the server keeps anything in its data folder besides the lock."""
        return not self.store_url or self.has_own_keys or self.tls_self_made

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that the server answers: the hosts of the allowed origins."""
        return frozenset(origin.split("://", 1)[1] for origin in self.origins)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings. On loopback, make the key file if it is missing.

    Raises:
        ConfigurationError: its text is one line, for the person who starts the program.
    """
    refuse_unknown(environment, names_of_settings())
    read = Environment(environment)
    plain = _read(read)  # all of them: a wrong one is told before any file is made
    keys = secret_keys(read, plain.secret_keys_file, loopback=is_loopback(plain.host))
    return replace(plain, secret_keys=keys)


def names_of_settings() -> frozenset[str]:
    """Return the names of all settings: of what is read where hardly one is set."""
    # An absolute folder: the one in which the program was started may be gone.
    read = Environment({"CURFEW_DATA_DIR": "/"})
    _read(read)
    return frozenset(read.names)


def _read(read: Environment) -> Settings:
    """Read all settings; the secret keys that they name are still missing."""
    host, port = _host(read), _port(read)
    loopback, data_dir = is_loopback(host), Path(read.text("CURFEW_DATA_DIR", "./data")).absolute()
    tls_self_made = read.text("CURFEW_TLS_CERT", "") == "self"
    tls_cert, tls_key = _tls_files(read, data_dir, self_made=tls_self_made)
    proxies = _proxies(read, host, is_safe=bool(loopback or tls_cert))
    return Settings(
        host=host,
        port=port,
        processes=read.integer("CURFEW_PROCESSES", 1, 1, 64),
        data_dir=data_dir,
        store_url=(store_url := read_store_url(read, _is_file)),
        store_plaintext=allows_plaintext(read),
        store_wait=read.duration("CURFEW_STORE_WAIT", "30s"),
        shards=read_shards(read, store_url),
        secret_keys=(),
        secret_keys_file=key_file(read, data_dir),
        origins=read.origins("CURFEW_ORIGINS", own_origins("https" if tls_cert else "http", port)),
        base_path=(base_path := read.base_path("CURFEW_BASE_PATH")),
        rules=read_rules(read),
        remember=RememberMe(read.choice("CURFEW_REMEMBER", "offer", *RememberMe)),
        rules_change=read.choice("CURFEW_RULES_CHANGE", "refuse", "refuse", "rolling") == "rolling",
        node_lease=read.duration("CURFEW_NODE_LEASE", "5s"),
        hold_timeout=read.duration("CURFEW_HOLD_TIMEOUT", "30s"),
        sweep_interval=read.duration("CURFEW_SWEEP_INTERVAL", "30s"),
        termination_wait=read.duration("CURFEW_TERMINATION_WAIT", "2s"),
        termination_replicas=read_replicas(read, store_url),
        signup=_signup(read, loopback=loopback),
        sign_up_limits=read_sign_up_limits(read),
        password_help=read_password_help(read),
        visitor_limits=read_visitor_limits(read),
        trusted_proxies=proxies,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_self_made=tls_self_made,
        watchdog=_watchdog(read),
        running=read_running(read, behind_proxies=bool(proxies)),
        log_format=read.choice("CURFEW_LOG_FORMAT", "console", "console", "json"),
        log_file=_log_file(read),
        cookie_name=read.cookie_name("CURFEW_COOKIE_NAME", own_cookie_name(base_path)),
    )


def _host(read: Environment) -> str:
    host = read.text("CURFEW_HOST", "127.0.0.1")
    if takes := flaw_of_unix_address(host):
        raise refusal("CURFEW_HOST", host, takes)
    return host


def _port(read: Environment) -> int:
    if is_link("CURFEW_PORT", text := read.text("CURFEW_PORT", "")):
        takes = (
            "a whole number from 0 to 65535. Kubernetes sets it for a Service named curfew: set "
        )
        raise refusal("CURFEW_PORT", text, takes + "it yourself, or enableServiceLinks: false")
    return read.integer("CURFEW_PORT", 8888, 0, 65535)


def _proxies(
    read: Environment, host: str, *, is_safe: bool
) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the trusted proxies. Without one, nobody on the way may listen."""
    proxies = read.networks("CURFEW_TRUSTED_PROXIES")
    if not (is_safe or proxies):
        raise ConfigurationError(
            f"CURFEW_HOST is {host!r}, which other machines can reach over plain HTTP. Set "
            "CURFEW_TLS_CERT and CURFEW_TLS_KEY, or CURFEW_TRUSTED_PROXIES for a TLS proxy."
        )
    return proxies


def _watchdog(read: Environment) -> timedelta | None:
    limit, takes = read.duration_or_off("CURFEW_WATCHDOG", "10s"), "off, or a duration from 3s"
    if limit is not None and limit < _SHORTEST_WATCHDOG:
        raise refusal("CURFEW_WATCHDOG", read.text("CURFEW_WATCHDOG", ""), takes)
    return limit


def _log_file(read: Environment) -> Path | None:
    text = read.text("CURFEW_LOG_FILE", "")
    return Path(text).absolute() if text else None


def _signup(read: Environment, *, loopback: bool) -> bool:
    default = "open" if loopback else "closed"
    return read.choice("CURFEW_SIGNUP", default, "open", "closed") == "open"


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
    if text and not _is_file(name, text):
        raise refusal(name, text, takes)
    return Path(text) if text else None


def _is_file(name: str, path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError as error:  # a folder on the way to it may be closed to this user
        raise ConfigurationError(f"{name} names {path!r}: {error.strerror}.") from None
