"""What is wrong with the files of a certificate that was given to the server."""

import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from server.core.findings import Finding

CERTIFICATE: Final = "CURFEW_TLS_CERT"
KEY: Final = "CURFEW_TLS_KEY"
RENEWAL_IS_DUE: Final = timedelta(days=14)
"""Authorities renew a month before the end; two weeks before it, something is wrong."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names and addresses that browsers use for a server.

    Attributes:
        names: all of them.
        all_are_meant: whether somebody set them, so that the certificate must be for each.
        meets_browsers: whether browsers see this certificate, and not that of a proxy.
    """

    names: Collection[str]
    all_are_meant: bool = True
    meets_browsers: bool = True


def examine_certificate(certificate: Path, key: Path, hosts: Hosts, now: datetime) -> list[Finding]:
    """Return what is wrong.

    Args:
        certificate: path of the PEM file, with the chain behind the certificate.
        key: path of the PEM file.
        hosts: what it must be for.
        now: the present time.
    """
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no certificate"
        return [Finding(CERTIFICATE, f"{certificate}: {why}", "a PEM file", is_problem=True)]
    return [
        *_key(chain, key),
        *_validity(chain[0], certificate, now),
        *_hosts(chain[0], hosts),
        *_chain(chain, certificate),
    ]


def _key(chain: Sequence[x509.Certificate], file: Path) -> list[Finding]:
    try:
        public = load_pem_private_key(file.read_bytes(), password=None).public_key()
    except TypeError:
        found = f"{file} is protected by a passphrase, which nobody can type at a start"
        return [Finding(KEY, found, "a key without one", is_problem=True)]
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no private key"
        return [Finding(KEY, f"{file}: {why}", "a PEM file", is_problem=True)]
    findings = []
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        findings.append(Finding(KEY, f"other users can use {file}", f"chmod 600 {file}"))
    if chain[0].public_key() == public:
        return findings
    if public in [each.public_key() for each in chain[1:]]:
        needed = f"the certificate of {file} first in {CERTIFICATE}, and its chain behind it"
    else:
        needed = f"the key that {CERTIFICATE} was made with"
    found = f"{file} does not belong to the certificate"
    return [*findings, Finding(KEY, found, needed, is_problem=True)]


def _validity(found: x509.Certificate, file: Path, now: datetime) -> list[Finding]:
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    if ends <= now:
        text = f"{file} expired on {ends:%Y-%m-%d %H:%M} UTC"
        return [Finding(CERTIFICATE, text, "a new certificate", is_problem=True)]
    if begins > now:
        text = f"{file} is not valid before {begins:%Y-%m-%d %H:%M} UTC"
        needed = "a certificate that is valid now, or the right time on this machine"
        return [Finding(CERTIFICATE, text, needed, is_problem=True)]
    if ends < now + RENEWAL_IS_DUE:
        text = f"{file} expires on {ends:%Y-%m-%d %H:%M} UTC"
        return [Finding(CERTIFICATE, text, "a renewal before that, and then SIGHUP")]
    return []


def _hosts(found: x509.Certificate, hosts: Hosts) -> list[Finding]:
    names = _names(found)
    others = sorted(host for host in hosts.names if not any(_covers(name, host) for name in names))
    if not others or (len(others) < len(hosts.names) and not hosts.all_are_meant):
        return []
    shown = ", ".join(sorted(names)) or "no host name"
    text = f"the certificate is for {shown}, and CURFEW_ORIGINS have {', '.join(others)}"
    needed = "a certificate for these hosts, or other origins"
    return [Finding(CERTIFICATE, text, needed, is_problem=hosts.meets_browsers)]


def _names(found: x509.Certificate) -> set[str]:
    """Return the names that browsers look at; they ignore the common name."""
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return set()
    return {str(each.value).lower() for each in extension.value}


def _covers(name: str, host: str) -> bool:
    """Return whether a name in a certificate is the host's: `*` is one whole label (RFC 9525)."""
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def _chain(chain: Sequence[x509.Certificate], file: Path) -> list[Finding]:
    if len(chain) > 1 or chain[0].issuer == chain[0].subject:
        return []
    text = f"{file} holds the certificate alone, which {_issuer(chain[0])} has issued"
    needed = "the intermediate certificates behind it, unless browsers know this issuer"
    return [Finding(CERTIFICATE, text, needed)]


def _issuer(found: x509.Certificate) -> str:
    return found.issuer.rfc4514_string().replace("\n", " ") or "an unnamed authority"
