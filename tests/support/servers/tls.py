"""A real Curfew that speaks TLS with a certificate that it made for itself."""

import ssl
from pathlib import Path

from tests.support.servers.server import CurfewServer


class TlsServer(CurfewServer):
    """One running server under HTTPS.

    Args:
        processes: how many share the port.
    """

    def __init__(self, *, processes: int = 1) -> None:
        super().__init__(tls_cert="self", processes=str(processes))

    @property
    def url(self) -> str:
        """Where it serves; also its own origin."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """What it made."""
        return self.data_dir / "tls" / "certificate.pem"

    @property
    def trust(self) -> ssl.SSLContext:
        """Believes this certificate, and no other; names are checked."""
        if not self.certificate.exists():  # it is just being made
            raise FileNotFoundError(self.certificate)
        return ssl.create_default_context(cafile=self.certificate)
