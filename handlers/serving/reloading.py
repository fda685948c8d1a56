"""Reload what can change while the server runs: its log file, its certificate and its keys.

Parent and workers do the same, in the two steps of `server.processes.reloads`. What cannot be
reloaded is said, and the old one stays in use.
"""

import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from handlers.serving.tls import make_certificate, tls_context
from server.core.errors import ConfigurationError
from server.crypto.keyring import Keyring, WeakKey, joined
from server.crypto.secret_keys import read_secret_keys
from server.processes.board import ParentLink
from server.processes.reloads import is_preparing
from server.telemetry.log_handler import LogHandler
from settings import Settings

log = logging.getLogger("curfew.serving")

KEPT: Final = "not reloaded, the old one stays in use: %s"


class ParentReload:
    """Reloads in the parent, from whose settings later workers are started.

    Args:
        settings: the settings at the start.
        log_handler: writes the parent's log lines.

    Attributes:
        settings: the settings for a worker that is started now.
    """

    def __init__(self, settings: Settings, log_handler: LogHandler) -> None:
        self.settings = settings
        self._log_handler = log_handler
        self._keys = settings.secret_keys

    def prepare(self) -> bool:
        """Reload what can be; return whether the keys are other ones now."""
        log.info("reloading the log file, the certificate and the keys")
        reopen(self._log_handler)
        fresh_certificate(self.settings, make=True)
        keys = fresh_keys(self.settings)
        if keys is None:
            return False
        self._keys = keys
        ring = joined(self.settings.secret_keys, keys)
        self.settings = replace(self.settings, secret_keys=ring)
        return True

    def commit(self) -> None:
        """Start later workers with the new keys alone."""
        self.settings = replace(self.settings, secret_keys=self._keys)


class WorkerReload:
    """Reloads in a worker, when its parent asks.

    Args:
        settings: the settings at the start.
        link: shows the step that the parent asks for.
        log_handler: writes this worker's log lines.
        keyring: takes the new keys.
        use_certificate: serves later connections with a TLS context.
    """

    def __init__(
        self,
        settings: Settings,
        link: ParentLink,
        log_handler: LogHandler,
        keyring: Keyring,
        use_certificate: Callable[[ssl.SSLContext], None],
    ) -> None:
        self._settings = settings
        self._link = link
        self._log_handler = log_handler
        self._keyring = keyring
        self._use_certificate = use_certificate
        self._keys = settings.secret_keys
        self._tried = link.noted

    def advance(self) -> None:
        """Take the step that the parent asks for, unless it was taken before."""
        asked = self._link.asked
        if asked in {self._link.noted, self._tried}:
            return
        self._tried = asked
        if not is_preparing(asked):
            self._adopt(self._keys)
        elif not self._prepare():
            return
        self._link.note(asked)

    def _prepare(self) -> bool:
        """Reload what can be; return whether this worker can read with the new keys, if any."""
        reopen(self._log_handler)
        if context := fresh_certificate(self._settings):
            self._use_certificate(context)
        if self._settings.secret_keys_file is None:
            return True
        keys = fresh_keys(self._settings)
        if keys is None:
            return False
        self._keys = keys
        self._adopt(joined(self._settings.secret_keys, keys))
        return True

    def _adopt(self, keys: Sequence[bytes]) -> None:
        self._settings = replace(self._settings, secret_keys=tuple(keys))
        ring = Keyring.from_secrets(keys)
        if ring.versions != self._keyring.versions:
            self._keyring.adopt(ring)
            log.info("keys, newest first: %s", ", ".join(map(str, ring.versions)))


def reopen(log_handler: LogHandler) -> None:
    """Continue in a log file of the same name."""
    try:
        log_handler.reopen()
    except OSError as error:
        log.error(KEPT, f"the log file: {error}")  # noqa: TRY400 the reason is the message


def fresh_certificate(settings: Settings, *, make: bool = False) -> ssl.SSLContext | None:
    """Return a TLS context with the files as they are now; None if there is none to use.

    Args:
        settings: the settings.
        make: whether to renew a self-made certificate if it needs it.
    """
    try:
        if make:
            make_certificate(settings)
        return tls_context(settings)
    except ConfigurationError as error:
        log.error(KEPT, error)  # noqa: TRY400 the reason is the message
        return None


def fresh_keys(settings: Settings) -> tuple[bytes, ...] | None:
    """Return the keys in the key file, if they may replace those in use.

    Without the key that writes, everybody whose session is under it would be signed out.
    """
    if settings.secret_keys_file is None:
        return None
    try:
        keys = read_secret_keys(settings.secret_keys_file)
        Keyring.from_secrets(joined(settings.secret_keys, keys))
    except (ConfigurationError, WeakKey) as error:
        log.error(KEPT, error)  # noqa: TRY400 the reason is the message
        return None
    if settings.secret_keys[0] not in keys:
        log.error(KEPT, "the key file lacks the key that this server writes with")
        return None
    return keys
