"""TLS that the server speaks itself: 1.2 and later."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.serving.tls import expiry_of_certificate, tls_context
from settings import load_settings
from tests.support.servers.store_tls import Authority


@pytest.fixture
def server(tmp_path: Path) -> ssl.SSLContext:
    certificate, key = Authority(tmp_path).certify("DNS:localhost")
    made = tls_context(
        load_settings(
            {
                "CURFEW_DATA_DIR": str(tmp_path),
                "CURFEW_TLS_CERT": str(certificate),
                "CURFEW_TLS_KEY": str(key),
            }
        )
    )
    assert made is not None
    return made


def agreed(server: ssl.SSLContext, version: ssl.TLSVersion) -> str | None:
    """The version of a handshake with a client that speaks this one alone.

    Raises:
        SSLError: there was no handshake.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = version
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
            agreed = side.version()
    return agreed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.proves("12.1.1", "12.2.1")
def test_present_versions_are_spoken(server: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    assert agreed(server, version) == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1"])
@pytest.mark.proves("12.1.1")
def test_former_versions_are_refused(server: ssl.SSLContext, name: str) -> None:
    with pytest.raises(ssl.SSLError):
        agreed(server, ssl.TLSVersion[name])


def test_the_expiry_of_the_certificate_is_read_from_its_file(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).certify("DNS:localhost")
    plain = {"CURFEW_DATA_DIR": str(tmp_path)}
    tls = {"CURFEW_TLS_CERT": str(certificate), "CURFEW_TLS_KEY": str(key)}
    assert expiry_of_certificate(load_settings(plain)) is None
    settings = load_settings(plain | tls)
    expires_at = expiry_of_certificate(settings)
    assert expires_at is not None
    assert expires_at > datetime.now(UTC)
    certificate.write_text("no certificate any more")
    assert expiry_of_certificate(settings) is None
