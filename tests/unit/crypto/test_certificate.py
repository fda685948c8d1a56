"""The self-made certificate: made once, for us alone, and anew only when it no longer serves."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.core.addresses import certificate_names
from server.crypto.certificate import ensure_certificate, read_certificate

HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
NOW = datetime.now(UTC)


class Pair:
    """A certificate and its key in a folder.

    Attributes:
        certificate: PEM file.
        key: PEM file.
    """

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "tls" / "certificate.pem", folder / "tls" / "key.pem"

    def keep(self, hosts: frozenset[str] = HOSTS, now: datetime = NOW) -> bytes:
        """What a start of the server leaves."""
        ensure_certificate(self.certificate, self.key, hosts, now)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        return self.certificate.read_bytes()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Nothing made yet."""
    return Pair(tmp_path)


def test_it_names_the_hosts_and_ends_within_what_apples_systems_take(pair: Pair) -> None:
    pair.keep()
    made = read_certificate(pair.certificate)
    assert made is not None
    assert made.hosts == HOSTS
    assert timedelta(days=360) < made.expires_at - NOW < timedelta(days=825)


def test_nobody_else_can_read_the_files(pair: Pair) -> None:
    pair.keep()
    modes = [path.stat().st_mode & 0o777 for path in (pair.key, pair.certificate)]
    assert modes == [0o600, 0o600]
    assert pair.key.parent.stat().st_mode & 0o777 == 0o700
    assert {each.name for each in pair.key.parent.iterdir()} == {"key.pem", "certificate.pem"}


def test_it_is_kept_until_a_month_before_its_end(pair: Pair) -> None:
    made = pair.keep()
    assert pair.keep(now=NOW + timedelta(days=330)) == made
    assert pair.keep(now=NOW + timedelta(days=340)) != made


def test_fewer_hosts_are_no_reason_for_another_and_a_new_one_is(pair: Pair) -> None:
    made = pair.keep()
    assert pair.keep(frozenset({"localhost"})) == made
    more = pair.keep(HOSTS | {"lantern.local", "192.0.2.7"})
    assert more != made
    found = read_certificate(pair.certificate)
    assert found is not None
    assert found.hosts == HOSTS | {"lantern.local", "192.0.2.7"}


def test_what_cannot_be_read_or_does_not_belong_together_is_made_anew(
    pair: Pair, tmp_path: Path
) -> None:
    other = Pair(tmp_path / "other")
    other.keep()
    made = pair.keep()
    for spoil in (
        pair.key.unlink,
        pair.certificate.unlink,
        lambda: pair.key.write_bytes(other.key.read_bytes()),
        lambda: pair.certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\n"),
        lambda: pair.key.write_text("no key"),
    ):
        spoil()
        again = pair.keep()
        assert again != made
        made = again


def test_a_key_that_others_could_read_is_not_used_again(pair: Pair) -> None:
    made = pair.keep()
    pair.key.chmod(0o640)
    assert pair.keep() != made
    assert pair.key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("host", "origins", "further"),
    [
        ("127.0.0.1", ["https://localhost:8888"], set()),
        ("0.0.0.0", ["https://lantern.local:8888", "https://[fd00::7]"],  # noqa: S104 - a name?
         {"lantern.local", "fd00::7"}),
        ("::", [], set()),
        ("", [], set()),
        ("192.0.2.7", [], {"192.0.2.7"}),
        ("lantern", [], {"lantern"}),
    ],
)  # fmt: skip
def test_the_names_are_the_loopback_the_address_and_the_origins(
    host: str, origins: list[str], further: set[str]
) -> None:
    assert certificate_names(host, origins) == HOSTS | further


def test_a_key_that_openssl_fails_at_is_made_anew(pair: Pair) -> None:
    before = pair.keep()
    ed448_and_too_short = "MC4CAQAwBQYDK2VxBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    pair.key.write_text(
        f"-----BEGIN PRIVATE KEY-----\n{ed448_and_too_short}\n-----END PRIVATE KEY-----\n", "ascii"
    )
    assert pair.keep() != before
