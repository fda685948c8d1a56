"""A certificate that this server makes for itself, so that a developer's own machine has HTTPS.

Nobody vouches for it: a browser warns, and remembers the exception for this very certificate. So it
is kept, and made anew only when it no longer serves. This file must not import the settings.
"""

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME: Final = timedelta(days=365)
"""Apple's systems refuse more than 825 days (support.apple.com/103769)."""
RENEWED_BEFORE: Final = timedelta(days=30)
_SKEW: Final = timedelta(days=1)
"""How far the clock of a phone beside this machine may be behind."""
_SUBJECT: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Curfew, made by itself")])


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says.

    Attributes:
        hosts: names and addresses that it is for.
        expires_at: its end.
    """

    hosts: frozenset[str]
    expires_at: datetime


def ensure_certificate(
    certificate: Path, key: Path, hosts: frozenset[str], now: datetime | None = None
) -> None:
    """Have a certificate and its key in these files; those that are there stay while they serve.

    They serve while they belong together, name all hosts, are nobody else's to read, and do not
    end within a month. Call it from one process: the two files are replaced one after the other,
    and two that do not belong together are made anew by the next call.

    Args:
        certificate: PEM file. Its folder is made, for this user alone.
        key: PEM file, mode 0600.
        hosts: names and addresses.
        now: the time, if not the present.

    Raises:
        OSError: the files cannot be written.
    """
    now = now or datetime.now(UTC)
    if _serve(certificate, key, hosts, now):
        return
    made = ec.generate_private_key(ec.SECP256R1())
    certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(key, secret)
    _write(certificate, _sign(made, hosts, now).public_bytes(Encoding.PEM))


def read_certificate(path: Path) -> Certificate | None:
    """What the certificate in a PEM file says; None if there is none."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None
    hosts = {str(each.value) for each in names}
    return Certificate(frozenset(hosts), found.not_valid_after_utc)


def _serve(certificate: Path, key: Path, hosts: frozenset[str], now: datetime) -> bool:
    found = read_certificate(certificate)
    if found is None or not hosts <= found.hosts or found.expires_at < now + RENEWED_BEFORE:
        return False
    try:
        if stat.S_IMODE(key.stat().st_mode) & 0o077:
            return False
        secret = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):  # the last one says that it is encrypted
        return False
    certified = x509.load_pem_x509_certificate(certificate.read_bytes())
    return certified.public_key() == secret.public_key()


def _sign(
    key: ec.EllipticCurvePrivateKey, hosts: frozenset[str], now: datetime
) -> x509.Certificate:
    names = x509.SubjectAlternativeName([_name(each) for each in sorted(hosts)])
    return (
        x509.CertificateBuilder()
        .subject_name(_SUBJECT)
        .issuer_name(_SUBJECT)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(names, critical=False)
        # No authority: whoever trusts it trusts this server, and nothing that its key might sign.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, content: bytes) -> None:
    """All or nothing, and never readable for others, not even for a moment."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
