"""TLS that the server speaks itself: its certificate, and the context of its connections."""

import ssl
from datetime import datetime
from functools import partial
from pathlib import Path

from server.core.addresses import certificate_names
from server.core.errors import ConfigurationError
from server.crypto.certificate import ensure_certificate, expiry_of
from settings import Settings


def make_certificate(settings: Settings) -> None:
    """Make the self-made certificate, or renew it, if the settings ask for one.

    Only the parent process calls this, which holds the lock of the data folder; the workers read
    the files.

    Raises:
        ConfigurationError: the files cannot be written in the data folder.
    """
    if not settings.tls_self_made or settings.tls_cert is None or settings.tls_key is None:
        return
    names = certificate_names(settings.host, settings.origins)
    try:
        ensure_certificate(settings.tls_cert, settings.tls_key, names)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"CURFEW_TLS_CERT=self: no certificate: {error}.") from None


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context of the server, or None if it speaks plain HTTP.

    TLS 1.2 is the oldest version it accepts (ASVS 5.0 12.1.1).

    Raises:
        ConfigurationError: the files do not hold a certificate and its key.
    """
    if settings.tls_cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _require_readable("CURFEW_TLS_CERT", settings.tls_cert)
    _require_readable("CURFEW_TLS_KEY", settings.tls_key)
    try:
        context.load_cert_chain(
            settings.tls_cert, settings.tls_key, partial(_refuse_to_ask, settings.tls_key)
        )
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"CURFEW_TLS_CERT and CURFEW_TLS_KEY are no certificate with its key: {error}."
        ) from None
    return context


def expiry_of_certificate(settings: Settings) -> datetime | None:
    """Return when the certificate expires that is in the file now; None without TLS."""
    return None if settings.tls_cert is None else expiry_of(settings.tls_cert)


def _require_readable(name: str, file: Path | None) -> None:
    """Name the file that cannot be read; the error of `ssl` does not."""
    try:
        if file is not None:
            file.open("rb").close()
    except OSError as error:
        raise ConfigurationError(f"{name}: {file}: {error.strerror}.") from None


def _refuse_to_ask(file: Path | None) -> str:
    """Refuse a key that needs a passphrase. OpenSSL would ask for it at a terminal, and wait."""
    raise ConfigurationError(
        f"CURFEW_TLS_KEY: {file} is protected by a passphrase, which nobody can type at a start. "
        "Write it without: openssl pkey -in FILE -out FILE"
    )
