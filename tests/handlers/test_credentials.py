"""What a password may hold, and the ways in that there are not."""

import unicodedata
from base64 import b64encode
from collections.abc import Callable

import pytest

from tests.support.clients.browser import Browser, problem_of, sent_to
from tests.support.clients.client import PASSWORD

LONG = "naïve nightjars \0 over eleven quarries, " * 3 + "🦊 "
"""More than 72 bytes, with a NUL, an emoji, letters in composed form and a space at the end."""


@pytest.mark.gen_test
@pytest.mark.proves("A65", "6.2.8")
async def test_every_byte_of_a_password_counts_and_none_is_cut(browser: Browser) -> None:
    await browser.sign_up("anna", LONG)
    for other in (
        LONG[:-1],
        LONG + " ",
        " " + LONG,
        LONG[:73] + "?" + LONG[74:],
        LONG.replace("\0", ""),
        LONG.partition("\0")[0],
        LONG.upper(),
    ):
        body = {"username": "anna", "password": other}
        refused = await browser.send("POST", "/api/login", body)
        assert problem_of(refused) == "wrong-credentials", other
    await browser.sign_in("anna", unicodedata.normalize("NFD", LONG))


@pytest.mark.gen_test
@pytest.mark.proves("A65", "A58")
async def test_a_password_of_a_mebibyte_is_refused_before_it_is_looked_at(
    browser: Browser,
) -> None:
    body = {"username": "anna", "password": "x" * (2**20 - 100)}
    for path in ("/api/signup", "/api/login"):
        refused = await browser.send("POST", path, body)
        assert (refused.code, problem_of(refused)) == (413, "body-too-large")


@pytest.mark.gen_test
@pytest.mark.proves("6.3.2", "A74")
async def test_a_new_server_has_no_account_at_all(browser: Browser) -> None:
    for name, password in (
        ("admin", "admin"),
        ("root", "root"),
        ("curfew", "curfew"),
        ("admin", ""),
        ("admin", PASSWORD),
    ):
        body = {"username": name, "password": password}
        assert problem_of(await browser.send("POST", "/api/login", body)) == "wrong-credentials"


@pytest.mark.gen_test
@pytest.mark.proves("A74", "6.1.3", "6.3.4")
async def test_credentials_in_an_address_or_a_header_sign_nobody_in(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.sign_up("anna")
    visitor = new_browser()
    query = f"username=anna&password={PASSWORD.replace(' ', '+')}"
    basic = "Basic " + b64encode(f"anna:{PASSWORD}".encode()).decode()
    by_address = await visitor.send("GET", f"/api/login?{query}")
    assert (by_address.code, problem_of(by_address)) == (405, "method-not-allowed")
    page = await visitor.send("GET", f"/login?{query}")
    assert PASSWORD not in page.body.decode()
    in_part = await visitor.send("POST", f"/login?{query}", form={})
    assert in_part.code == 401
    by_header = await visitor.send("GET", "/api/session", Authorization=basic)
    assert (by_header.code, by_header.headers.get("WWW-Authenticate")) == (401, None)
    assert sent_to(await visitor.send("GET", "/account", Authorization=basic)).startswith("/login")
    assert not visitor.cookie


@pytest.mark.gen_test
@pytest.mark.proves("A68", "4.1.3", "15.3.4")
async def test_who_is_no_trusted_proxy_cannot_say_another_address(browser: Browser) -> None:
    for number in range(21):
        claimed = f"198.51.100.{number}"
        answer = await browser.send(
            "POST",
            "/api/login",
            {"username": f"somebody-{number}", "password": PASSWORD},
            X_Forwarded_For=claimed,
            X_Real_IP=claimed,
            Forwarded=f"for={claimed}",
        )
        assert answer.code == (401 if number < 20 else 429)
