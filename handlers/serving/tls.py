"""TLS that the server speaks itself: its certificate, and the context of its connections."""

import ssl

from server.core.addresses import names_of
from server.core.errors import ConfigurationError
from server.crypto.certificate import keep_certificate
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
    names = names_of(settings.host, settings.origins)
    try:
        keep_certificate(settings.tls_cert, settings.tls_key, names)
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
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"CURFEW_TLS_CERT and CURFEW_TLS_KEY are no certificate with its key: {error}."
        ) from None
    return context
