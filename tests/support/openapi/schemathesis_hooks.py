"""How schemathesis signs in: as an administrator, again whenever a call has ended the session."""

import os
from typing import Any

import requests
import schemathesis
from schemathesis import AuthContext
from schemathesis import Case as AnyCase

from tests.support.clients.client import COOKIE, PASSWORD

Case = AnyCase[Any]
ADDRESS = os.environ["CURFEW_TEST_URL"]


@schemathesis.auth(refresh_interval=None)
class Person:
    """Asked before each call."""

    def __init__(self) -> None:
        self._cookie = self._csrf_token = ""

    def get(self, case: Case, context: AuthContext) -> tuple[str, str]:  # noqa: ARG002
        """A live session's cookie and CSRF token."""
        answer = requests.get(
            f"{ADDRESS}/api/session", headers={"Cookie": f"{COOKIE}={self._cookie}"}, timeout=9
        )
        if not answer.ok:
            credentials = {"username": "root", "password": PASSWORD}
            answer = requests.post(f"{ADDRESS}/api/login", json=credentials, timeout=9)
            answer.raise_for_status()
            self._csrf_token = answer.json()["csrf_token"]
        if "Set-Cookie" in answer.headers:
            self._cookie = answer.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        return self._cookie, self._csrf_token

    def set(self, case: Case, data: tuple[str, str], context: AuthContext) -> None:  # noqa: ARG002
        """Send them, as a page of ours would."""
        case.cookies[COOKIE], case.headers["X-CSRF-Token"] = data
        case.headers["Origin"] = ADDRESS
