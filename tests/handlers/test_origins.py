"""Only our own pages may act: the Origin, what browsers say of themselves, and the CSRF token."""

from collections.abc import Callable

import pytest

from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.routes import LOOK, UNSAFE, all_routes

CREDENTIALS = {"username": "anna", "password": PASSWORD}
FOREIGN = [
    "null",
    "",
    "*",
    "https://localhost:{port}",
    "http://localhost:1{port}",
    "http://localhost",
    "http://localhost:{port}/",
    "HTTP://LOCALHOST:{port}",
    "http://localhost:{port}.evil.example",
    "http://evil.example",
    "http://evil.example:{port}",
    "http://localhost.evil.example:{port}",
    "http://anna@localhost:{port}",
    "http://localhost:{port} http://evil.example",
    "http://localhost:{port}, http://localhost:{port}",
    "file://",
]


@pytest.mark.gen_test
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_our_own_pages_may_act(browser: Browser, http_port: int, host: str) -> None:
    await browser.sign_up("anna")
    origin = f"http://{host}:{http_port}"
    assert (await browser.send("POST", "/api/session/rotate", Origin=origin)).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.proves("A30", "A67", "3.5.1")
async def test_no_other_page_may_act_with_or_without_a_session(
    browser: Browser, http_port: int, foreign: str
) -> None:
    origin = foreign.format(port=http_port)
    refused = await browser.send("POST", "/api/signup", CREDENTIALS, Origin=origin)
    assert (refused.code, problem_of(refused)) == (403, "forbidden-origin")
    await browser.sign_up("anna")
    for method, path in (("POST", "/api/logout"), ("DELETE", "/api/sessions?scope=all")):
        refused = await browser.send(method, path, Origin=origin, Sec_Fetch_Site="same-origin")
        assert (refused.code, problem_of(refused)) == (403, "forbidden-origin")
        assert "Set-Cookie" not in refused.headers
    assert (await browser.send("GET", "/api/session")).code == 200


@pytest.mark.gen_test
@pytest.mark.proves("A40")
async def test_of_two_origins_none_is_believed(browser: Browser) -> None:
    await browser.sign_up("anna")
    for origins in ([browser.url] * 2, [browser.url, "http://evil.example"]):
        refused = await browser.send("POST", "/api/logout", Origin=origins)
        assert (refused.code, problem_of(refused)) == (403, "forbidden-origin")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("site", "status"),
    [
        ("same-origin", 200),
        ("same-site", 403),
        ("cross-site", 403),
        ("none", 403),
        ("", 403),
        ("Same-Origin", 403),
        ("same-origin, cross-site", 403),
        (["same-origin", "cross-site"], 403),
    ],
)
@pytest.mark.proves("3.1.1", "3.5.1")
async def test_without_an_origin_a_browser_must_say_that_the_page_is_ours(
    browser: Browser, site: str | list[str], status: int
) -> None:
    await browser.sign_up("anna")
    rotated = await browser.send("POST", "/api/session/rotate", Origin=None, Sec_Fetch_Site=site)
    assert rotated.code == status
    if status != 200:
        assert problem_of(rotated) == "forbidden-origin"


@pytest.mark.gen_test
async def test_a_program_that_says_nothing_of_itself_may_act_but_owes_the_token(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    assert (await browser.send("POST", "/api/session/rotate", Origin=None)).code == 200
    refused = await browser.send("POST", "/api/logout", Origin=None, X_CSRF_Token=None)
    assert (refused.code, problem_of(refused)) == (403, "csrf-token-wrong")
    browser.cookie = browser.csrf_token = ""
    signed_in = await browser.send("POST", "/api/login", CREDENTIALS, Origin=None)
    assert signed_in.code == 200


@pytest.mark.gen_test
@pytest.mark.proves("A79", "3.4.2")
async def test_reading_is_open_to_other_origins_but_they_are_not_let_look(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    read = await browser.send(
        "GET", "/api/session", Origin="http://evil.example", Sec_Fetch_Site="cross-site"
    )
    assert read.code == 200
    assert not [name for name in read.headers if name.startswith("Access-Control")]
    assert read.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    preflight = await browser.send(
        "OPTIONS", "/api/session", Origin="http://evil.example", Access_Control_Request_Method="PUT"
    )
    assert preflight.code == 405
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]


@pytest.mark.gen_test
@pytest.mark.proves("A30", "3.5.1")
async def test_the_csrf_token_is_bound_to_the_session(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    right = browser.csrf_token
    for wrong in (
        None,
        "",
        other.csrf_token,
        right[:-1],
        right + "A",
        right.swapcase(),
        browser.cookie,
        f"{right}, {right}",
        [right, right],
        "é",
    ):
        refused = await browser.send("POST", "/api/logout", X_CSRF_Token=wrong)
        assert (refused.code, problem_of(refused)) == (403, "csrf-token-wrong")
        assert "Set-Cookie" not in refused.headers
    assert (await browser.send("POST", "/api/logout")).code == 200


@pytest.mark.gen_test
async def test_the_csrf_token_stays_over_rotations_and_changes_with_the_session(
    browser: Browser,
) -> None:
    await browser.sign_up("anna")
    before = browser.csrf_token
    await browser.send("POST", "/api/session/rotate")
    assert json_of(await browser.send("GET", "/api/session"))["csrf_token"] == before
    await browser.sign_in("anna")
    assert browser.csrf_token != before


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, each.path)
        for each in all_routes()
        for method in UNSAFE
        if method in each.methods and each.path != LOOK
    ],
)
@pytest.mark.proves("3.5.1")
async def test_no_route_acts_for_a_session_without_the_csrf_token(
    browser: Browser, method: str, path: str
) -> None:
    await browser.sign_up("anna")
    refused = await browser.send(method, path, {}, X_CSRF_Token=None)
    assert refused.code == 403
    assert "Set-Cookie" not in refused.headers
    assert (await browser.send("GET", "/api/session")).code == 200
