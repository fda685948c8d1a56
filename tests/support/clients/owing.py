"""Sessions that owe a second factor: what serves them, and two that do."""

from tornado.httpclient import HTTPResponse

from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, problem_of
from tests.support.clients.factors import PASSKEY_AGAIN, PASSKEY_LOGIN, App, add_app, add_passkey
from tests.support.clients.routes import LOOK, METHODS, NOBODY, Route, all_routes

HOME = "/account/security"
AGAIN = "/api/session/reauthenticate"
SERVED = {
    # setting a factor up
    HOME,
    *(f"{HOME}/{form}" for form in ("totp", "totp/confirm", "totp/remove", "recovery-codes")),
    *(f"{HOME}/{form}" for form in ("passkeys", "passkeys/remove")),
    *("/api/factors", "/api/totp", "/api/recovery-codes"),
    *("/api/passkeys", "/api/passkeys/options", f"/api/passkeys/{NOBODY}"),
    # proving one
    *("/reauthenticate", AGAIN, PASSKEY_AGAIN, f"{PASSKEY_AGAIN}/options"),
    *("/login", "/login/second-factor", "/login/passkey", "/api/login"),
    *("/api/login/second-factor", PASSKEY_LOGIN, f"{PASSKEY_LOGIN}/options"),
    # seeing the session, and leaving
    *("/api/session", "/logout", "/api/logout"),
}
NO_SESSION = {"/healthz", "/readyz", "/metrics", "/openapi.json", LOOK}
"""They look at none, so they serve everybody alike."""
CLOSED = [
    (method, route)
    for route in all_routes()
    for method in METHODS
    if method in route.methods
    and route.path not in SERVED | NO_SESSION | {"/ws"}
    and (method, route.path) != ("OPTIONS", "/")  # a probe
]
"""All others; `tests/sockets/test_second_factor_owed.py` has the sockets."""


def is_led_to_setup(answer: HTTPResponse, route: Route) -> bool:
    """Whether the answer refuses, and tells of the way to a second factor."""
    if not route.is_api:
        return answer.code == 303 and answer.headers["Location"] == HOME
    if answer.code != 403:
        return False
    return answer.request.method == "HEAD" or problem_of(answer) == "second-factor-setup-required"


async def is_served(browser: Browser) -> bool:
    """Whether the session is served everywhere, as far as reading tells."""
    led = {
        is_led_to_setup(await browser.send(method, route.path), route)
        for method, route in CLOSED
        if method == "GET"
    }
    assert len(led) == 1
    return not led.pop()


async def two_sessions(
    browser: Browser, other: Browser, services: Services
) -> tuple[App, Authenticator]:
    """The other one signed in by the password, before there was an app and a passkey."""
    await browser.sign_up("ada")
    await other.sign_in("ada")
    app, _ = await add_app(browser, services.clock.now)
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    return app, key
