"""The OpenAPI description: valid, complete, and true of what the running server answers."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
import pytest
from openapi_schema_validator import OAS31Validator, validate
from openapi_spec_validator import OpenAPIV31SpecValidator
from tornado.routing import PathMatches
from tornado.web import RequestHandler

from handlers.openapi.document import document
from handlers.routes import ROUTES
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.client import COOKIE, PASSWORD, Client
from tests.support.servers.server import CurfewServer

DOCUMENT = document(ROUTES, COOKIE)
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = {
    (method, path)
    for path, item in DOCUMENT["paths"].items()
    for method in METHODS
    if method in item
}
NEW_PASSWORD = "eleven herons on the morning ferry"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer() as running:
        yield running


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_every_json_route_is_described_and_nothing_else() -> None:
    served = {
        (method, without_names(str(route.matcher.regex.pattern)))
        for route in ROUTES
        if isinstance(route.matcher, PathMatches) and is_json(route.matcher.regex.pattern)
        for method in METHODS
        if is_answered(route.handler_class, method)
    }
    assert {(method, without_names(path)) for method, path in OPERATIONS} == served


@pytest.mark.proves("6.3.3")
def test_where_a_second_factor_is_owed_is_described_as_the_handlers_have_it() -> None:
    handlers = {
        without_names(str(route.matcher.regex.pattern)): route.handler_class
        for route in ROUTES
        if isinstance(route.matcher, PathMatches)
    }
    for method, path in OPERATIONS:
        described = DOCUMENT["paths"][path][method]
        refused = described["responses"].get("403", {}).get("description", "")
        handler: Any = handlers[without_names(path)]
        closed = bool(described["security"]) and not handler.before_second_factor
        assert ("`second-factor-setup-required`" in refused) is closed, (method, path)


def is_json(pattern: str) -> bool:
    """Whether a route is for programs."""
    return pattern.startswith("/api/") or pattern.rstrip("$") in {
        "/healthz",
        "/readyz",
        "/metrics",
        r"/openapi\.json",
    }


def is_answered(handler: Any, method: str) -> bool:
    """Whether a handler takes a method."""
    return getattr(handler, method) is not getattr(RequestHandler, method)


def without_names(path: str) -> str:
    """A path with `{}` for each of its parts that differ, from a template or a route's pattern."""
    return re.sub(r"\([^/]*\)|\([^)]*\)|{\w+}", "{}", path.replace("\\", "").rstrip("$"))


async def test_what_the_server_answers_is_as_described(server: CurfewServer) -> None:
    server.command("user", "add", "root", "--admin", given=PASSWORD + "\n")
    async with (
        Client(server.url) as ada,
        Client(server.url) as root,
        Client(server.url) as stranger,
        Client(server.url.replace("127.0.0.1", "localhost")) as grace,
    ):
        seen = Seen()
        await seen.call(ada, "get", "/healthz")
        await seen.call(ada, "get", "/readyz")
        await seen.call(ada, "get", "/openapi.json")
        assert (await ada.request("GET", "/openapi.json")).json() == DOCUMENT
        await signing_up(seen, ada)
        await the_session(seen, ada)
        await data(seen, stranger)
        await root.sign_in("root")
        await an_administrator(seen, root, ada)
        await ends(seen, ada)
        await codes(seen, grace)
        await passkeys(seen, grace)
    probes = {("get", "/metrics")}  # no JSON
    assert seen.succeeded == OPERATIONS - probes


class Seen:
    """Sends requests, holds each answer against the description, and notes what succeeded."""

    def __init__(self) -> None:
        self.succeeded: set[tuple[str, str]] = set()

    async def call(
        self, client: Client, method: str, template: str, body: Any = None, **names: str
    ) -> httpx.Response:
        """Send a request; its answer must be one of those described."""
        path = template.format(**names) + ("?scope=" + names["scope"] if "scope" in names else "")
        answer = await client.request(method.upper(), path, body)
        described = DOCUMENT["paths"][template][method]["responses"].get(str(answer.status_code))
        assert described is not None, f"{method} {path}: {answer.status_code} {answer.text}"
        media_type = answer.headers["Content-Type"].partition(";")[0]
        schema = described["content"][media_type]["schema"]
        whole = {**schema, "components": DOCUMENT["components"]}
        validate(answer.json(), whole, cls=OAS31Validator)
        assert ("Set-Cookie" not in answer.headers) or "Set-Cookie" in described["headers"]
        if answer.is_success:
            self.succeeded.add((method, template))
        return answer

    async def refused(
        self, slug: str, client: Client, method: str, template: str, body: Any = None, **names: str
    ) -> None:
        """Send a request that must be refused with this problem."""
        answer = await self.call(client, method, template, body, **names)
        assert answer.json()["type"] == f"/problems/{slug}"


async def signing_up(seen: Seen, ada: Client) -> None:
    signup, login = "/api/signup", "/api/login"
    good = {"username": "Ada", "password": PASSWORD}
    await seen.refused("bad-username", ada, "post", signup, good | {"username": "a b"})
    await seen.refused("bad-password", ada, "post", signup, good | {"password": "short"})
    await seen.refused("bad-request", ada, "post", signup, {"username": "ada"})
    await seen.call(ada, "post", signup, good)
    await seen.refused("name-taken", ada, "post", signup, good)
    await seen.refused("wrong-credentials", ada, "post", login, good | {"password": "wrong"})
    ada.csrf_token = (await seen.call(ada, "post", login, good)).json()["csrf_token"]


async def the_session(seen: Seen, ada: Client) -> None:
    await seen.call(ada, "get", "/api/session")
    await seen.call(ada, "post", "/api/session/rotate")
    again = "/api/session/reauthenticate"
    await seen.refused("wrong-password", ada, "post", again, {"password": "wrong"})
    await seen.call(ada, "post", again, {"password": PASSWORD})
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    wrong = change | {"current_password": "wrong"}
    await seen.refused("wrong-password", ada, "put", "/api/password", wrong)
    bad = change | {"new_password": "short"}
    await seen.refused("bad-password", ada, "put", "/api/password", bad)
    receipt = await seen.call(ada, "put", "/api/password", change)
    assert receipt.json()["sessions"] == 0
    back = {"current_password": NEW_PASSWORD, "new_password": PASSWORD}
    kept = await seen.call(ada, "put", "/api/password", back | {"end_other_sessions": False})
    assert kept.json() == {}


async def data(seen: Seen, stranger: Client) -> None:
    data = "/api/session/data"
    assert (await seen.call(stranger, "get", data)).json() == {}
    await seen.call(stranger, "patch", data, {"cart": [1, {"deep": None}]})
    await seen.refused("csrf-token-wrong", stranger, "patch", data, {"cart": None})
    anonymous = (await seen.call(stranger, "get", "/api/session")).json()
    assert anonymous["session"]["user"] is None
    stranger.csrf_token = anonymous["csrf_token"]
    await seen.refused("data-refused", stranger, "patch", data, {"big": "x" * 70_000})
    await seen.refused("bad-request", stranger, "patch", data, [])


async def an_administrator(seen: Seen, root: Client, ada: Client) -> None:
    sessions, disabled = (
        "/api/admin/users/{user}/sessions",
        "/api/admin/users/{user}/disabled",
    )
    await seen.refused("not-admin", ada, "get", sessions, user="root")
    await seen.refused("user-not-found", root, "get", sessions, user="nobody")
    await seen.call(root, "get", sessions, user="ada")
    await seen.call(root, "delete", sessions, user="ada")
    await seen.call(root, "get", "/api/activity")
    ended = await seen.call(ada, "get", "/api/session")
    assert ended.json()["reason"] == "admin"
    await seen.call(root, "put", disabled, {"disabled": True}, user="ada")
    await seen.call(root, "put", disabled, {"disabled": False}, user="ada")
    await accounts(seen, root, ada)


async def accounts(seen: Seen, root: Client, ada: Client) -> None:
    users, one = "/api/admin/users", "/api/admin/users/{user}"
    await ada.sign_in("ada")
    await seen.refused("not-admin", ada, "get", users)
    await seen.call(root, "get", users)
    await seen.call(root, "get", one, user="ada")
    await seen.refused("last-administrator", root, "delete", one, user="root")
    await seen.call(root, "put", f"{one}/admin", {"admin": True}, user="ada")
    await seen.call(root, "put", f"{one}/admin", {"admin": False}, user="ada")
    await seen.refused("name-taken", root, "put", f"{one}/name", {"name": "root"}, user="ada")
    await seen.call(root, "put", f"{one}/name", {"name": "ada-again"}, user="ada")
    await seen.call(root, "put", f"{one}/name", {"name": "ada"}, user="ada-again")
    for name in ("brief", "short"):
        await root.request("POST", "/api/signup", {"username": name, "password": PASSWORD})
    await seen.call(root, "delete", one, user="brief")
    await seen.refused("last-administrator", root, "delete", "/api/account")


async def ends(seen: Seen, ada: Client) -> None:
    one, many = "/api/sessions/{id}", "/api/sessions"
    await ada.sign_in("ada")
    await seen.call(ada, "get", many)
    await seen.refused("session-not-found", ada, "delete", one, id="00" + "A" * 22)
    await seen.refused("bad-request", ada, "delete", many, scope="some")
    await seen.call(ada, "delete", many, scope="others")
    await seen.call(ada, "delete", one, id=ada.sid)
    await ada.sign_in("ada")
    await seen.call(ada, "post", "/api/logout")
    await ada.sign_in("ada")
    await seen.call(ada, "delete", "/api/account")


async def codes(seen: Seen, grace: Client) -> None:
    credentials = {"username": "grace", "password": PASSWORD}
    await grace.sign_up("grace")
    await seen.call(grace, "get", "/api/factors")
    await seen.refused("no-second-factor", grace, "post", "/api/recovery-codes", {})
    await seen.refused("factor-not-found", grace, "delete", "/api/totp")
    begun = (await seen.call(grace, "post", "/api/totp")).json()
    body = {"setup": begun["setup"], "code": "no"}
    await seen.refused("wrong-code", grace, "put", "/api/totp", body)
    body["code"] = pyotp.TOTP(begun["secret"]).now()
    await seen.refused("setup-expired", grace, "put", "/api/totp", body | {"setup": ""})
    await seen.call(grace, "put", "/api/totp", body)
    await seen.refused("factor-exists", grace, "put", "/api/totp", body)
    again = "/api/session/reauthenticate"
    right = {"password": PASSWORD}
    await seen.refused("second-factor-required", grace, "post", again, right)
    await seen.refused("wrong-code", grace, "post", again, right | {"code": "no"})
    codes = (await seen.call(grace, "post", "/api/recovery-codes", {})).json()["recovery_codes"]
    owed = await seen.call(grace, "post", "/api/login", credentials)
    second, body = "/api/login/second-factor", {"challenge": owed.json()["challenge"]}
    await seen.refused("wrong-second-factor", grace, "post", second, body | {"code": "no"})
    await seen.refused("challenge-expired", grace, "post", second, {"challenge": "", "code": ""})
    answer = await seen.call(grace, "post", second, body | {"code": codes[0]})
    grace.csrf_token = answer.json()["csrf_token"]
    await seen.call(grace, "delete", "/api/totp")


async def passkeys(seen: Seen, grace: Client) -> None:
    key, keys, one = Authenticator(grace.url), "/api/passkeys", "/api/passkeys/{id}"
    body = {"credential": {}, "name": "key"}
    await seen.refused("setup-expired", grace, "post", keys, body)
    options = (await seen.call(grace, "post", f"{keys}/options")).json()
    body["credential"] = key.make(options)
    await seen.refused("bad-passkey-name", grace, "post", keys, body | {"name": ""})
    await seen.call(grace, "post", keys, body)
    await seen.call(grace, "get", "/api/factors")
    again, login = "/api/session/reauthenticate/passkey", "/api/login/passkey"
    await seen.refused("wrong-passkey", grace, "post", again, {"credential": {}})
    options = (await seen.call(grace, "post", f"{again}/options")).json()
    await seen.call(grace, "post", again, {"credential": key.use(options)})
    await seen.refused("passkey-refused", grace, "post", login, {"credential": {}})
    options = (await seen.call(grace, "post", f"{login}/options", {})).json()
    answer = await seen.call(grace, "post", login, {"credential": key.use(options)})
    grace.csrf_token = answer.json()["csrf_token"]
    await seen.call(grace, "delete", one, id=key.id)
    await seen.refused("factor-not-found", grace, "delete", one, id=key.id)


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
async def test_a_stranger_is_refused_exactly_where_the_description_asks_for_a_session(
    server: CurfewServer, method: str, path: str
) -> None:
    async with Client(server.url) as stranger:
        answer = await stranger.request(method.upper(), path.format(id="x", user="ada"))
    security = DOCUMENT["paths"][path][method]["security"]
    assert (answer.status_code == 401) == (security != [] and {} not in security)
