"""What is wrong with a given certificate; each case as a command: tests/integration."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from server.core.findings import Finding
from server.crypto.certificate import LIFETIME, ensure_certificate
from server.crypto.certificate_findings import RENEWAL_IS_DUE, Hosts, examine_certificate

NOW = datetime(2035, 6, 1, tzinfo=UTC)
HOSTS = Hosts(frozenset({"a.example"}))


class Files:
    """A certificate and its key, made at a time."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        ensure_certificate(self.certificate, self.key, frozenset({"a.example"}), NOW)

    def findings(self, hosts: Hosts = HOSTS, now: datetime = NOW) -> list[Finding]:
        """Return what is wrong at a time."""
        return examine_certificate(self.certificate, self.key, hosts, now)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A certificate that is in order."""
    return Files(tmp_path)


def test_files_in_order_have_no_finding(files: Files) -> None:
    assert files.findings() == []


def test_the_end_is_told_two_weeks_before_and_is_a_problem_then(files: Files) -> None:
    tick, end = timedelta(seconds=1), NOW + LIFETIME
    assert files.findings(now=end - RENEWAL_IS_DUE) == []
    assert [each.is_problem for each in files.findings(now=end - RENEWAL_IS_DUE + tick)] == [False]
    assert [each.is_problem for each in files.findings(now=end)] == [True]
    assert [each.is_problem for each in files.findings(now=NOW - timedelta(days=2))] == [True]


def test_a_wildcard_is_one_label(tmp_path: Path) -> None:
    files = Files(tmp_path)
    ensure_certificate(files.certificate, files.key, frozenset({"*.a.example", "10.0.0.1"}), NOW)
    assert files.findings(Hosts({"b.a.example", "10.0.0.1"})) == []
    for other in ("a.example", "c.b.a.example", "10.0.0.2"):
        assert [each.is_problem for each in files.findings(Hosts({other}))] == [True]


def test_hosts_that_nobody_set_need_not_all_be_named(files: Files) -> None:
    names = {"a.example", "b.example"}
    assert files.findings(Hosts(names, all_are_meant=False)) == []
    assert len(files.findings(Hosts(names))) == 1
    assert len(files.findings(Hosts({"b.example"}, all_are_meant=False))) == 1


def test_behind_a_proxy_another_name_is_a_warning(files: Files) -> None:
    (finding,) = files.findings(Hosts({"b.example"}, meets_browsers=False))
    assert not finding.is_problem


def test_a_chain_in_the_wrong_order_is_explained(files: Files, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Files(tmp_path / "other")
    both = other.certificate.read_bytes() + files.certificate.read_bytes()
    files.certificate.write_bytes(both)
    (finding,) = files.findings()
    assert finding.setting == "CURFEW_TLS_KEY"
    assert "first in CURFEW_TLS_CERT" in finding.needed


def test_files_that_hold_something_else_are_named(files: Files, tmp_path: Path) -> None:
    key, certificate = files.key.read_bytes(), files.certificate.read_bytes()
    files.key.write_bytes(certificate)
    assert [each.setting for each in files.findings()] == ["CURFEW_TLS_KEY"]
    protection = BestAvailableEncryption(b"a word")
    secret = load_pem_private_key(key, password=None)
    files.key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    assert "passphrase" in str(files.findings()[0])
    files.certificate.write_bytes(key)
    assert [each.setting for each in files.findings()] == ["CURFEW_TLS_CERT"]
    files.certificate = tmp_path / "none"
    assert "No such file" in str(files.findings()[0])


def name_of(text: str) -> x509.Name:
    """Return a subject."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issued(Files):
    """A certificate without names that browsers look at, issued by an authority that has its own.

    Attributes:
        authority: the authority's certificate.
        authority_key: its key.
    """

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.authority_key = ec.generate_private_key(ec.SECP256R1())
        own = ec.generate_private_key(ec.SECP256R1())
        self.authority = self._signed("an authority", self.authority_key)
        self.certificate.write_bytes(self._signed("a.example", own))
        self.write_key(own)

    def _signed(self, subject: str, key: ec.EllipticCurvePrivateKey) -> bytes:
        made = (
            x509.CertificateBuilder()
            .subject_name(name_of(subject))
            .issuer_name(name_of("an authority"))
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(NOW)
            .not_valid_after(NOW + LIFETIME)
            .sign(self.authority_key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    def write_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Put another key beside the certificate."""
        self.key.touch(mode=0o600)
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_a_certificate_that_names_no_host_is_for_none(tmp_path: Path) -> None:
    found = [each.found for each in Issued(tmp_path).findings()]
    assert "the certificate is for no host name, and CURFEW_ORIGINS have a.example" in found


def test_a_certificate_of_an_authority_may_lack_what_leads_to_it(tmp_path: Path) -> None:
    files = Issued(tmp_path)
    alone = f"{files.certificate} holds the certificate alone, which CN=an authority has issued"
    assert [each.is_problem for each in files.findings() if each.found == alone] == [False]
    files.certificate.write_bytes(files.certificate.read_bytes() + files.authority)
    assert alone not in [each.found for each in files.findings()]


def test_the_key_of_a_certificate_behind_the_first_says_that_the_order_is_wrong(
    tmp_path: Path,
) -> None:
    files = Issued(tmp_path)
    files.certificate.write_bytes(files.certificate.read_bytes() + files.authority)
    files.write_key(files.authority_key)
    needed = f"the certificate of {files.key} first in CURFEW_TLS_CERT, and its chain behind it"
    assert needed in [each.needed for each in files.findings()]


def test_a_key_that_others_can_use_is_told(files: Files) -> None:
    files.key.chmod(0o640)
    (finding,) = files.findings()
    assert (finding.needed, finding.is_problem) == (f"chmod 600 {files.key}", False)
