"""What asks for nothing to be changed changes nothing, and gets nothing in a foreign context."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
import redis

from tests.security.crawl import Role, signed_in
from tests.support.clients.client import COOKIE, Client
from tests.support.clients.routes import NOBODY, all_routes
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import Store, new_store

SAFE = ("GET", "HEAD", "OPTIONS")
EMBEDDED = ("script", "style", "image", "iframe", "frame", "object", "embed", "font", "worker")
PROJECT = (
    "/.git/config", "/.git/HEAD", "/.env", "/data/secret_keys", "/settings.py", "/run.py",
    "/requirements.txt", "/static/", "/static/js", "/static/js/", "/static/../settings.py",
    "/static/%2e%2e/settings.py", "/static/..%2fsettings.py", "/debug", "/debug/pprof", "/docs",
    "/server-status", "/handlers/pages/templates/account.html", "/static/css/curfew.css.map",
)  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A store for these tests alone."""
    with new_store() as running:
        yield running


@pytest.fixture(scope="module")
def server(store: Store) -> Iterator[CurfewServer]:
    """A server whose sessions need no writing while they are only read."""
    with CurfewServer(store_url=store.url, touch_interval="10m") as running:
        yield running


def contents(client: redis.Redis) -> dict[bytes, object]:
    """All keys and values, but for what nodes say of themselves."""
    own = (b":nodes", b":renewals", b":probe")
    keys = [key for key in client.scan_iter(count=500) if not key.endswith(own)]
    return {key: client.dump(key) for key in keys}


@pytest.mark.proves("3.5.3", "A16", "7.6.2")
async def test_safe_requests_leave_the_store_as_it_is(server: CurfewServer, store: Store) -> None:
    ada = await signed_in(server.url, None, "ada")
    async with Client(server.url) as client:
        with store.client() as stored:
            await settled(stored)
            before = contents(stored)
            for role in (Role("stranger"), ada):
                for route in all_routes():
                    for method in SAFE:
                        query = {"scope": "all", "password": "x" * 20, "csrf_token": "x"}
                        answer = await client.http.request(
                            method, route.path, params=query, headers=role.headers
                        )
                        assert "Set-Cookie" not in answer.headers, (method, route.path)
                        assert answer.status_code != 500
                    if method not in route.methods:
                        assert answer.status_code in {404, 405, 426}
            assert contents(stored) == before


async def settled(stored: redis.Redis) -> None:
    """Wait until what happens in the background is written."""
    last: object = None
    while (now := contents(stored)) != last:
        last = now
        await asyncio.sleep(0.3)
    # The counts of made accounts lapse within a minute, and would do so during the test.
    for key in stored.scan_iter("*:tries:new_*"):
        stored.delete(key)


@pytest.mark.proves("A16", "7.6.2")
async def test_a_flood_of_visitors_leaves_no_record(server: CurfewServer, store: Store) -> None:
    paths = ["/", "/login", "/signup", "/api/session", "/api/session/data", "/account", "/x"]
    async with Client(server.url) as client:
        with store.client() as stored:
            await settled(stored)
            before = stored.dbsize()
            for _ in range(30):
                answers = await asyncio.gather(*(client.http.get(path) for path in paths * 3))
                assert not any("Set-Cookie" in answer.headers for answer in answers)
            assert stored.dbsize() == before


@pytest.mark.proves("3.2.1", "3.5.8")
async def test_nothing_private_is_given_to_be_embedded(server: CurfewServer) -> None:
    ada = await signed_in(server.url, None, "ada")
    public = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
    async with httpx.AsyncClient(base_url=server.url, headers=ada.headers) as client:
        for route in all_routes():
            if "GET" not in route.methods or route.path == "/ws":
                continue
            refused = [*EMBEDDED]
            if route.is_api and route.path not in public:
                refused.append("document")
            for destination in refused:
                answer = await client.get(route.path, headers={"Sec-Fetch-Dest": destination})
                assert answer.status_code == 403, (route.path, destination)
                assert "ada" not in answer.text
            served = "empty" if route.is_api else "document"
            answer = await client.get(route.path, headers={"Sec-Fetch-Dest": served})
            assert '"type":"/problems/wrong-context"' not in answer.text.replace(" ", "")
            assert answer.status_code < 500


@pytest.mark.proves("3.5.6", "3.5.7")
async def test_scripts_are_the_same_for_everybody(server: CurfewServer) -> None:
    ada = await signed_in(server.url, None, "ada")
    async with httpx.AsyncClient(base_url=server.url) as client:
        page = await client.get("/account", headers=ada.headers)
        scripts = {part.split('"')[0] for part in page.text.split('src="')[1:]}
        assert scripts
        for script in scripts:
            with_cookie = await client.get(script, headers=ada.headers)
            assert with_cookie.content == (await client.get(script)).content
        called = await client.get("/api/session?callback=f", headers=ada.headers)
        assert called.headers["Content-Type"].startswith("application/json")
        assert called.text.startswith("{")


@pytest.mark.proves("13.4.1", "13.4.3", "13.4.7")
@pytest.mark.parametrize("path", PROJECT)
async def test_no_file_of_the_project_and_no_listing_is_shown(
    server: CurfewServer, path: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    host = f"127.0.0.1:{server.port}"
    writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in {b"403", b"404"}, answer[:200]
    assert b"import " not in answer
    assert b".js</a>" not in answer


@pytest.mark.proves("14.2.1", "4.4.3")
async def test_no_secret_in_an_address_is_taken(server: CurfewServer) -> None:
    ada = await signed_in(server.url, None, "ada")
    names = ("token", "session", "cookie", "access_token", COOKIE)
    query = dict.fromkeys(names, ada.cookie)
    async with Client(server.url) as client:
        for path in ("/api/session", "/account", f"/api/sessions/{NOBODY}"):
            answer = await client.http.get(path, params=query)
            assert answer.status_code in {303, 401, 405}
            assert ada.cookie not in str(answer.headers)
            assert ada.cookie not in answer.text
