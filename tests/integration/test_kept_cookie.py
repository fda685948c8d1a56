"""A browser that keeps no Secure cookie on plain HTTP, as Safari; and its way out, HTTPS."""

import httpx

from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer
from tests.support.servers.tls import TlsServer

CREDENTIALS = {"username": "ada", "password": PASSWORD}


def strict_browser(server: CurfewServer) -> httpx.Client:
    """Its jar sends no Secure cookie over plain HTTP, to whatever host; it follows redirects."""
    return httpx.Client(
        base_url=server.url,
        headers={"Origin": server.url},
        follow_redirects=True,
        verify=server.trust or True,
        trust_env=False,
    )


def test_on_plain_http_it_is_told_instead_of_sent_around() -> None:
    with CurfewServer() as server, strict_browser(server) as browser:
        for form in ("/signup", "/login"):
            told = browser.post(form, data=CREDENTIALS)
            assert [each.status_code for each in told.history] == [303]
            assert 'id="no-cookie"' in told.text
            assert f"https://127.0.0.1:{server.port}/" in told.text
        assert browser.get("/account").url.path == "/login"


def test_with_a_self_made_certificate_it_signs_in() -> None:
    with TlsServer() as server, strict_browser(server) as browser:
        account = browser.post("/signup", data=CREDENTIALS)
        assert account.url.path == "/account"
        assert 'data-user="ada"' in account.text
