"""`CURFEW_TLS_CERT=self`: HTTPS on one's own machine, by a certificate that stays."""

import json
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.servers.tls import TlsServer

CREDENTIALS = json.dumps({"username": "ada", "password": PASSWORD})


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    """Of two processes; no file is there yet."""
    with TlsServer(processes=2) as running:
        yield running


def curl(server: TlsServer, address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask with a client that has never seen this server, and is strict about certificates.

    Whatever the address's name, it goes to where the server listens.
    """
    there = ("--connect-to", f"::127.0.0.1:{server.port}")
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--include", *there, *arguments, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"NO_PROXY": "*", "HOME": str(server.data_dir)},
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_curl_believes_the_certificate_once_it_is_told_to(server: TlsServer, host: str) -> None:
    address = f"https://{host}:{server.port}/api/session"
    refused = curl(server, address)
    assert refused.returncode == 60  # CURLE_PEER_FAILED_VERIFICATION
    answered = curl(server, address, "--cacert", str(server.certificate))
    assert answered.stdout.startswith("HTTP/1.1 401"), answered.stderr


def test_a_client_that_knows_only_old_tls_is_refused(server: TlsServer) -> None:
    trust = ("--cacert", str(server.certificate))
    willing = ("--ciphers", "DEFAULT@SECLEVEL=0")  # else this client would refuse by itself
    answered = curl(server, server.url, *trust, *willing, "--tls-max", "1.2")
    assert answered.stdout.startswith("HTTP/1.1 200")
    refused = curl(server, server.url, *trust, *willing, "--tlsv1.0", "--tls-max", "1.1")
    assert "alert protocol version" in refused.stderr


def test_no_answer_pins_this_machine_to_https(server: TlsServer) -> None:
    for path in ("/", "/login", "/api/session", "/nowhere", "/static/favicon.svg"):
        answered = curl(server, server.url + path, "--cacert", str(server.certificate))
        assert answered.stdout.startswith("HTTP/1.1 ")
        assert "strict-transport-security" not in answered.stdout.lower()


def test_a_client_that_keeps_secure_cookies_under_https_only_signs_in_and_opens_a_socket(
    server: TlsServer,
) -> None:
    jar = server.data_dir / "jar"
    common = ("--cacert", str(server.certificate), "--cookie-jar", str(jar), "--cookie", str(jar))
    body = ("--json", CREDENTIALS)
    assert "201 Created" in curl(server, f"{server.url}/api/signup", *common, *body).stdout
    assert "200 OK" in curl(server, f"{server.url}/api/login", *common, *body).stdout
    assert "200 OK" in curl(server, f"{server.url}/api/session", *common).stdout
    value = jar.read_text(encoding="ascii").partition(f"{COOKIE}\t")[2].split()[0]
    with connect(
        server.socket_url,
        ssl=server.trust,
        origin=Origin(server.url),
        subprotocols=[Subprotocol("curfew.v1")],
        additional_headers={"Cookie": f"{COOKIE}={value}"},
    ) as socket:
        assert json.loads(socket.recv())["type"] == "hello"


def test_the_certificate_stays_over_a_restart_and_the_doctor_tells_of_it(
    server: TlsServer,
) -> None:
    made = ssl.get_server_certificate(("127.0.0.1", server.port))
    assert server.stop() == 0
    server.start()
    assert ssl.get_server_certificate(("127.0.0.1", server.port)) == made
    assert server.certificate.read_text(encoding="ascii") == made
    told = server.command("doctor").stdout
    assert "self-made" in told
    assert "127.0.0.1, ::1, localhost" in told
    assert f"https://localhost:{server.port}" in told
    assert "self-made" in server.log
    assert "PRIVATE KEY" not in server.log + told
