"""A self-signed certificate, so that a server on a developer's own machine has HTTPS.

No authority signed it, so a browser warns, and remembers its user's exception for this very
certificate. Therefore it is kept, and replaced only when it is no longer usable.
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
"""How far the clock of another device, such as a phone, may be behind."""
_SUBJECT: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Curfew, made by itself")])


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says.

    Attributes:
        hosts: names and addresses that it is valid for.
        expires_at: when it expires.
    """

    hosts: frozenset[str]
    expires_at: datetime


def ensure_certificate(
    certificate: Path, key: Path, hosts: frozenset[str], now: datetime | None = None
) -> None:
    """Make a certificate and its key in these files, unless usable ones are there.

    They are usable if they belong together, name all hosts, nobody else can read the key, and the
    certificate is valid for another month. Call this from one process only: the two files are
    replaced one after the other. If only one was replaced, the next call makes both again.

    Args:
        certificate: path of the PEM file. Its folder is made, for this user alone.
        key: path of the PEM file, which gets mode 0600.
        hosts: names and addresses that the certificate must be valid for.
        now: the present time, unless it is the system's.

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
    """Read the certificate in a PEM file; return None if there is none."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 broken files raise almost anything
        return None
    hosts = {str(each.value) for each in names}
    return Certificate(frozenset(hosts), found.not_valid_after_utc)


def expiry_of(path: Path) -> datetime | None:
    """Return when the certificate in a PEM file expires; None if there is none to read."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except Exception:  # noqa: BLE001 broken files raise almost anything
        return None


def _serve(certificate: Path, key: Path, hosts: frozenset[str], now: datetime) -> bool:
    found = read_certificate(certificate)
    if found is None or not hosts <= found.hosts or found.expires_at < now + RENEWED_BEFORE:
        return False
    try:
        if stat.S_IMODE(key.stat().st_mode) & 0o077:
            return False
        secret = load_pem_private_key(key.read_bytes(), password=None)
        certified = x509.load_pem_x509_certificate(certificate.read_bytes())
        return certified.public_key() == secret.public_key()
    except Exception:  # noqa: BLE001 broken files raise almost anything; they are made anew
        return False


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
        # Not an authority: a browser that trusts it must not trust what its key might sign.
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
    """Write a file in one step; other users can never read it, not even for a moment."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
