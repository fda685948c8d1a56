"""Setting second factors up over the API, as a person with an app or a passkey would."""

from collections.abc import Callable
from typing import Any

import pyotp
from tornado.httpclient import HTTPResponse

from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, json_of

STEP = 30
PASSKEY_LOGIN = "/api/login/passkey"
PASSKEY_AGAIN = "/api/session/reauthenticate/passkey"


class App:
    """An authenticator app.

    Args:
        secret: as it was scanned.
        now: the clock.
    """

    def __init__(self, secret: str, now: Callable[[], float]) -> None:
        self._totp = pyotp.TOTP(secret)
        self._now = now

    def code(self, steps: int = 1) -> str:
        """The code of some steps from now.

        Of the next one by default: it is good already, and was not used to set the app up. If a
        step ends before it arrives, it is still good.
        """
        return str(self._totp.at(int(self._now()) + STEP * steps))

    def wrong_code(self) -> str:
        """A code that is good at no moment near."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in map("{:06d}".format, range(10)) if code not in near)


async def add_app(browser: Browser, now: Callable[[], float]) -> tuple[App, list[str]]:
    """Set an app up by its code of now; with the recovery codes."""
    begun = json_of(await browser.send("POST", "/api/totp"))
    app = App(begun["secret"], now)
    body = {"setup": begun["setup"], "code": app.code(0), "end_other_sessions": False}
    added = await browser.send("PUT", "/api/totp", body)
    assert added.code == 200, added.body
    return app, json_of(added)["recovery_codes"]


async def add_passkey(
    browser: Browser, authenticator: Authenticator, name: str = "key"
) -> list[str]:
    """Set a passkey up; the recovery codes."""
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    body = {
        "credential": authenticator.make(options),
        "name": name,
        "end_other_sessions": False,
    }
    added = await browser.send("POST", "/api/passkeys", body)
    assert added.code == 201, added.body
    codes: list[str] = json_of(added)["recovery_codes"]
    return codes


async def owed(browser: Browser, credentials: dict[str, str]) -> dict[str, Any]:
    """The problem that says that a second factor is owed."""
    answer = await browser.send("POST", "/api/login", credentials)
    document: dict[str, Any] = json_of(answer)
    assert (answer.code, document["type"]) == (401, "/problems/second-factor-required")
    assert "Set-Cookie" not in answer.headers
    return document


async def with_passkey(browser: Browser, **lies: Any) -> Authenticator:
    """Sign Ada up with a passkey."""
    await browser.sign_up("ada")
    key = Authenticator(browser.url, **lies)
    await add_passkey(browser, key)
    return key


async def sign_in_by_passkey(
    browser: Browser, key: Authenticator, **challenge: str
) -> HTTPResponse:
    """Use a passkey; with a challenge, after the password."""
    options = json_of(await browser.send("POST", f"{PASSKEY_LOGIN}/options", challenge))
    return await browser.send("POST", PASSKEY_LOGIN, {"credential": key.use(options)})
