"""Somebody who guesses passwords, from wherever they say they are."""

import pytest
from tornado.httpclient import HTTPResponse

from tests.support.clients.browser import Browser, problem_of

WRONG = "eleven herons on the morning ferry"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.1"

proxied = pytest.mark.parametrize("variables", [{"TRUSTED_PROXIES": "127.0.0.1"}])
"""Tests say where a request comes from, as a trusted proxy would."""


def credentials(username: str, password: str = WRONG) -> dict[str, str]:
    return {"username": username, "password": password}


async def log_in(
    browser: Browser, username: str, password: str = WRONG, *, at: str = ELSEWHERE
) -> HTTPResponse:
    """Try once, without keeping a cookie."""
    body = credentials(username, password)
    return await browser.send("POST", "/api/login", body, keep=False, X_Forwarded_For=at)


async def fail(browser: Browser, username: str, times: int, *, at: str = "") -> None:
    """Fail so often, each time from another address unless one is said."""
    for number in range(times):
        tried = await log_in(browser, username, at=at or f"203.0.113.{number}")
        assert (tried.code, problem_of(tried)) == (401, "wrong-credentials")


def waits(answer: HTTPResponse, seconds: int) -> None:
    """Check that the answer is to wait so long."""
    assert (answer.code, problem_of(answer)) == (429, "throttled")
    assert answer.headers["Retry-After"] == str(seconds)
    assert "Set-Cookie" not in answer.headers
