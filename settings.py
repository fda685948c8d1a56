"""All settings, from the environment. Frozen, typed, with units and where each default comes from.

A wrong value stops the start with one line that names the variable, what it got and what it takes.
Durations are written `500ms`, `30s`, `15m`, `12h`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from server.core.addresses import is_loopback, is_origin, own_origins
from server.core.errors import ConfigurationError
from server.core.session import Rules
from server.core.store_address import files_of_address, flaw_of_address
from server.crypto.key_file import make_key_file, read_key_file, split_keys
from server.crypto.keyring import Keyring, WeakKey, new_secret, parse_secret

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SHORTEST: Final = 0.001
"""Seconds: what the store's durations are counted in."""
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_COOKIE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Curfew process runs with.

    Attributes:
        host: address to listen on; loopback unless told otherwise.
        port: TCP port.
        processes: server processes that share the port.
        data_dir: the embedded store, the keys and the lock; one running server a folder.
        store_url: an external store, or empty for the embedded one.
        shards: slots that users are spread over; fixed with the first start on a store.
        secret_keys: newest first; the first writes, all read.
        secret_keys_file: where they are; None if they are in the environment.
        origins: browser origins that may sign in, write and open sockets. Exact.
        rules: the session policy. Idle 30 min and absolute 12 h stay inside NIST SP 800-63B-4
            AAL2 (1 h, 24 h) and OWASP's range for low risk.
        node_lease: how long a node may serve without proving contact with the store.
        hold_timeout: how long a node that lost its lease holds sockets before it closes them.
        sweep_interval: between two comparisons of all open sockets with the store.
        termination_wait: how long a termination waits for other nodes before it says `pending`.
        termination_replicas: how many replicas must have an end before it is `complete`.
        signup: whether people may make accounts themselves.
        trusted_proxies: peers whose forwarded headers count.
        tls_cert: PEM file; with `tls_key` the server speaks TLS itself.
        tls_key: PEM file.
        tls_self_made: whether the two are made by the server, in the data folder.
        log_format: `console` or `json`.
        cookie_name: of the one cookie.
    """

    host: str
    port: int
    processes: int
    data_dir: Path
    store_url: str
    shards: int
    secret_keys: tuple[bytes, ...]
    secret_keys_file: Path | None
    origins: frozenset[str]
    rules: Rules
    node_lease: timedelta
    hold_timeout: timedelta
    sweep_interval: timedelta
    termination_wait: timedelta
    termination_replicas: int
    signup: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    tls_cert: Path | None
    tls_key: Path | None
    tls_self_made: bool
    log_format: str
    cookie_name: str

    @property
    def pins_https(self) -> bool:
        """Whether browsers are told to use nothing but HTTPS for a year (RFC 6797).

        Never with a self-made certificate. The promise is kept for a host, whatever the port: made
        for localhost it would take plain HTTP from everything else that runs on this machine. And
        it takes away the browser's "go on" (RFC 6797 12.1), with which one gets past the warning.
        """
        return self.tls_cert is not None and not self.tls_self_made

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the Host header that are ours: those of the allowed origins."""
        return frozenset(origin.split("://", 1)[1] for origin in self.origins)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read all settings; make the key file where the design allows it.

    Raises:
        ConfigurationError: one line, for the person who starts the program.
    """
    read = _Reader(environment)
    host, port = read.text("CURFEW_HOST", "127.0.0.1"), read.integer("CURFEW_PORT", 8888, 0, 65535)
    loopback = is_loopback(host)
    data_dir = Path(read.text("CURFEW_DATA_DIR", "./data")).absolute()
    tls_self_made = read.text("CURFEW_TLS_CERT", "") == "self"
    tls_cert, tls_key = _tls_files(read, data_dir, self_made=tls_self_made)
    proxies = read.networks("CURFEW_TRUSTED_PROXIES")
    if not (loopback or tls_cert or proxies):
        raise ConfigurationError(
            f"CURFEW_HOST is {host!r}, which other machines can reach over plain HTTP. Set "
            "CURFEW_TLS_CERT and CURFEW_TLS_KEY, or CURFEW_TRUSTED_PROXIES for a TLS proxy."
        )
    scheme, keys = "https" if tls_cert else "http", _key_file(read, data_dir)
    return Settings(
        host=host,
        port=port,
        processes=read.integer("CURFEW_PROCESSES", 1, 1, 64),
        data_dir=data_dir,
        store_url=read.store_url("CURFEW_STORE_URL"),
        shards=read.integer("CURFEW_SHARDS", 1, 1, 100),
        secret_keys=_secret_keys(read, keys, loopback=loopback),
        secret_keys_file=keys,
        origins=read.origins("CURFEW_ORIGINS", own_origins(scheme, port)),
        rules=_rules(read),
        node_lease=read.duration("CURFEW_NODE_LEASE", "5s"),
        hold_timeout=read.duration("CURFEW_HOLD_TIMEOUT", "30s"),
        sweep_interval=read.duration("CURFEW_SWEEP_INTERVAL", "30s"),
        termination_wait=read.duration("CURFEW_TERMINATION_WAIT", "2s"),
        termination_replicas=read.integer("CURFEW_TERMINATION_REPLICAS", 0, 0, 9),
        signup=read.choice("CURFEW_SIGNUP", "open" if loopback else "closed", "open", "closed")
        == "open",
        trusted_proxies=proxies,
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_self_made=tls_self_made,
        log_format=read.choice("CURFEW_LOG_FORMAT", "console", "console", "json"),
        cookie_name=read.cookie_name("CURFEW_COOKIE_NAME", "__Host-Http-curfew"),
    )


def _rules(read: "_Reader") -> Rules:
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


def _tls_files(
    read: "_Reader", data_dir: Path, *, self_made: bool
) -> tuple[Path | None, Path | None]:
    key = read.path("CURFEW_TLS_KEY")
    if self_made and key:
        raise ConfigurationError("CURFEW_TLS_CERT=self makes its own key; unset CURFEW_TLS_KEY.")
    if self_made:
        return data_dir / "tls" / "certificate.pem", data_dir / "tls" / "key.pem"
    certificate = read.path("CURFEW_TLS_CERT", "the path of a PEM file, or self")
    if (certificate is None) != (key is None):
        raise ConfigurationError("CURFEW_TLS_CERT and CURFEW_TLS_KEY go together; set both.")
    return certificate, key


def _key_file(read: "_Reader", data_dir: Path) -> Path | None:
    """Where the keys are, None where the environment holds them."""
    if read.text("CURFEW_SECRET_KEYS", ""):
        return None
    return Path(read.text("CURFEW_SECRET_KEYS_FILE", "") or data_dir / "secret_keys")


def _secret_keys(read: "_Reader", path: Path | None, *, loopback: bool) -> tuple[bytes, ...]:
    """The keys, checked. On loopback the file is made on the first run."""
    name = "CURFEW_SECRET_KEYS" if path is None else "CURFEW_SECRET_KEYS_FILE"
    if path is not None and loopback and not read.text(name, "") and not path.exists():
        make_key_file(path, new_secret())
    text = read.text(name, "") if path is None else read_key_file(name, path)
    try:
        secrets = tuple(parse_secret(each) for each in split_keys(text))
        Keyring.from_secrets(secrets)
    except WeakKey as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return secrets


class _Reader:
    """Reads variables; each refusal names the variable, what it got and what it takes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise self._refusal(name, text, f"a whole number from {least} to {most}")
        return int(text)

    def duration(self, name: str, default: str) -> timedelta:
        text = self.text(name, default)
        match = _DURATION.fullmatch(text)
        seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
        if not _SHORTEST <= seconds <= timedelta(days=400).total_seconds():
            raise self._refusal(name, text, "a duration such as 500ms, 30s, 15m or 12h, from 1ms")
        return timedelta(seconds=seconds)

    def choice(self, name: str, default: str, *choices: str) -> str:
        text = self.text(name, default)
        if text not in choices:
            raise self._refusal(name, text, " or ".join(choices))
        return text

    def path(self, name: str, takes: str = "the path of a PEM file") -> Path | None:
        text = self.text(name, "")
        if text and not Path(text).is_file():
            raise self._refusal(name, text, takes)
        return Path(text) if text else None

    def origins(self, name: str, default: str) -> frozenset[str]:
        origins = [each.strip() for each in self.text(name, default).split(",")]
        for origin in origins:
            if not is_origin(origin):
                raise self._refusal(
                    name, origin, "origins such as https://app.example, separated by commas"
                )
        return frozenset(origins)

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        text = self.text(name, "")
        try:
            return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
        except ValueError:
            raise self._refusal(name, text, "addresses or networks such as 10.0.0.0/8") from None

    def store_url(self, name: str) -> str:
        text = self.text(name, "")
        plaintext = self.choice("CURFEW_STORE_PLAINTEXT", "refuse", "refuse", "allow")
        flaw = flaw_of_address(text, plaintext_allowed=plaintext == "allow") if text else None
        missing = (
            [] if flaw else [each for each in files_of_address(text) if not Path(each).is_file()]
        )
        if flaw or missing:
            shown = text.split("@")[-1].split("?")[0]  # the rest may hold a password
            raise ConfigurationError(
                f"{name} is {shown!r}; {flaw or f'there is no file {missing[0]}.'}"
            )
        return text

    def cookie_name(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if not _COOKIE_NAME.fullmatch(text):
            raise self._refusal(name, text, "1 to 64 letters, digits, - and _")
        return text

    @staticmethod
    def _refusal(name: str, got: str, takes: str) -> ConfigurationError:
        return ConfigurationError(f"{name} is {got!r}; it takes {takes}.")
