"""A real Curfew behind a certificate that it was given, as on the open network."""

import ssl
import tempfile
from pathlib import Path
from types import TracebackType

from server.crypto.certificate import ensure_certificate
from tests.support.servers.server import ROOT, CurfewServer


class CertifiedServer(CurfewServer):
    """See `CurfewServer`; its certificate is for 127.0.0.1, and its clients trust it."""

    def __init__(self, **settings: str) -> None:
        self._certificates = tempfile.TemporaryDirectory(prefix="curfew-certificate-")
        folder = Path(self._certificates.name)
        self._certificate, key = folder / "certificate.pem", folder / "key.pem"
        ensure_certificate(self._certificate, key, frozenset({"127.0.0.1"}))
        files = {"tls_cert": str(self._certificate), "tls_key": str(key)}
        super().__init__(script=ROOT / "run.py", **files, **settings)

    @property
    def url(self) -> str:
        """Where it serves; also its own origin."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        """Believes this certificate, and no other."""
        return ssl.create_default_context(cafile=self._certificate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        super().__exit__(kind, error, traceback)
        self._certificates.cleanup()
