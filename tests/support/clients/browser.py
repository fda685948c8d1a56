"""A browser for tests with pytest-tornado: a cookie, the Origin, the CSRF token, JSON and forms."""

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders

from tests.support.clients.client import COOKIE, PASSWORD

_INPUT = re.compile(r"<input ([^>]*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_OF_EACH_ANSWER = {"Date", "X-Request-Id"}


class Browser:
    """Talks to one server with one cookie; follows no redirects.

    Args:
        http: sends the requests.
        url: the server's address, which is also the Origin.
    """

    def __init__(self, http: AsyncHTTPClient, url: str) -> None:
        self.url = url
        self.cookie = self.csrf_token = self.sid = ""
        self._http = http

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: dict[str, str] | None = None,
        raw: bytes | None = None,
        keep: bool = True,
        **headers: str | list[str] | None,
    ) -> HTTPResponse:
        """Send one request.

        Args:
            method: any HTTP method.
            path: with its query.
            body: sent as JSON, unless None.
            form: sent as a form in place of `body`.
            raw: sent as it is in place of both.
            keep: whether a new cookie in the answer is taken.
            headers: further headers, with underscores for dashes; None leaves one out, a list
                sends it several times.
        """
        given: dict[str, str | list[str] | None] = {
            "Origin": self.url,
            "X-CSRF-Token": self.csrf_token or None,
        }
        if self.cookie:
            given["Cookie"] = f"{COOKIE}={self.cookie}"
        if form is not None:
            given |= {"X-CSRF-Token": None, "Content-Type": "application/x-www-form-urlencoded"}
            raw = urlencode(form).encode()
        elif body is not None:
            given["Content-Type"] = "application/json"
            raw = json.dumps(body).encode()
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self._http.fetch(
            self.url + path,
            method=method,
            body=raw,
            headers=_headers(given),
            raise_error=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        new = cookie_of(response)
        if keep and new is not None:
            self.cookie = new
        return response

    async def sign_up(self, username: str, password: str = PASSWORD) -> HTTPResponse:
        """Make an account and sign in; the answer to the latter."""
        made = await self.send("POST", "/api/signup", {"username": username, "password": password})
        assert made.code == 201, made.body
        return await self.sign_in(username, password)

    async def sign_in(self, username: str, password: str = PASSWORD) -> HTTPResponse:
        """Sign in over whatever session there is."""
        answer = await self.send("POST", "/api/login", {"username": username, "password": password})
        assert answer.code == 200, answer.body
        signed_in = json_of(answer)
        self.csrf_token, self.sid = signed_in["csrf_token"], signed_in["session"]["id"]
        return answer

    async def arrival(self, signed_in: HTTPResponse) -> str:
        """Where the answer to a sign-in form leads in the end: it first looks for the cookie."""
        return sent_to(await self.send("GET", sent_to(signed_in)))

    async def is_live(self) -> bool:
        """Whether there is a session."""
        return (await self.send("GET", "/api/session")).code == 200

    async def submit(self, page: str, action: str, **fields: str) -> HTTPResponse:
        """Load a page without scripts and send its form for `action` with these fields."""
        loaded = await self.send("GET", page)
        assert loaded.code == 200, loaded.body
        form = form_of(loaded, action)
        assert set(fields) <= set(form), f"{page} has only the fields {sorted(form)}"
        return await self.send("POST", action, form=form | fields)


def _headers(given: Mapping[str, str | list[str] | None]) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in given.items():
        for each in [value] if isinstance(value, str) else value or []:
            headers.add(name, each)
    return headers


def json_of(response: HTTPResponse) -> Any:
    """The answer's JSON, which it must say that it is."""
    media_type = response.headers["Content-Type"]
    assert media_type in {
        "application/json; charset=UTF-8",
        "application/problem+json; charset=UTF-8",
    }
    assert ("problem" in media_type) is (response.code >= 400)
    return json.loads(response.body)


def problem_of(response: HTTPResponse) -> str:
    """The last word of the problem's type; checks that the document is whole."""
    document = json_of(response)
    assert {"type", "title", "status", "detail"} <= set(document)
    assert document["status"] == response.code
    assert document["title"]
    assert document["detail"].endswith(".")
    return str(document["type"]).removeprefix("/problems/")


def page_of(response: HTTPResponse) -> str:
    """The answer's HTML."""
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    text = response.body.decode("utf-8")
    assert text.startswith("<!doctype html>")
    return text


def sent_to(response: HTTPResponse) -> str:
    """Where a form's answer leads to."""
    assert response.code == 303
    return response.headers["Location"]


def cookie_of(response: HTTPResponse) -> str | None:
    """The value that the answer sets our cookie to; None if it leaves it alone."""
    headers = response.headers.get_list("Set-Cookie")
    assert len(headers) <= 1, headers
    for header in headers:
        name, _, rest = header.partition("=")
        assert name == COOKIE
        return rest.partition(";")[0]
    return None


def lasting_headers(response: HTTPResponse) -> tuple[tuple[str, str], ...]:
    """The headers, without those that say when and which: two answers alike differ in them."""
    return tuple(pair for pair in response.headers.get_all() if pair[0] not in _OF_EACH_ANSWER)


def form_of(response: HTTPResponse, action: str) -> dict[str, str]:
    """The fields of the page's form for `action`, with what is filled in."""
    _, found, rest = page_of(response).partition(f'action="{action}"')
    assert found, f"no form for {action}"
    inputs = [
        dict(_ATTRIBUTE.findall(each))
        for each in _INPUT.findall(rest.split("</form>")[0])
        if 'type="checkbox"' not in each or " checked" in each  # a browser sends no other
    ]
    return {each["name"]: unescape(each.get("value", "")) for each in inputs}
