"""The audit trail of a real server: each thing that happens is there once, with who and where."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.support.clients.audit import Trail
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.clients.people import People, user_of
from tests.support.clients.sockets import end_of
from tests.support.servers.server import CurfewServer

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOSTILE = b"<svg onload=alert(1)>\x9b31m\xe2\x80\xaetxt" + b"A" * 10_000
"""Markup, a terminal code, a change of direction, and far too much of it."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Two processes whose tokens age soon."""
    with CurfewServer(
        processes="2",
        log_format="json",
        rotation_interval="1s",
        rotation_grace="200ms",
        max_sessions_per_user="2",
    ) as running:
        made = running.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture
def trail(server: CurfewServer) -> Trail:
    """What the server's log says from here on."""
    return Trail(server)


@pytest.mark.proves("16.3.1", "16.2.1")
async def test_a_session_is_created_renewed_and_ended_in_three_lines(
    people: People, trail: Trail
) -> None:
    ada = await people.somebody()
    name = await user_of(ada)
    await ada.request("POST", "/api/session/rotate")
    receipt = (await ada.request("POST", "/api/logout")).json()
    ended = await trail.once("session_expired", sid=ada.sid)
    assert (ended["user"], ended["reason"], ended["end"]) == (name, "logout", receipt["event"])
    assert (ended["ip"], ended["device"]) == ("127.0.0.1", "test browser")
    assert (await trail.once("session_created", sid=ada.sid))["user"] == name
    assert (await trail.once("session_renewed", sid=ada.sid))["generation"] == 2


@pytest.mark.proves("16.3.3", "A18")
async def test_an_old_token_is_a_reuse_once_and_a_use_after_the_end_from_then_on(
    people: People, trail: Trail
) -> None:
    ada = await people.somebody()
    old, sid = ada.cookie, ada.sid
    await ada.request("POST", "/api/session/rotate")
    await ada.request("GET", "/api/session")
    thief = await people.visitor()
    thief.http.headers["User-Agent"] = BROWSER
    thief.cookie = old
    await asyncio.sleep(0.3)  # the grace
    answers = [await thief.request("GET", "/api/session") for _ in range(3)]
    assert {each.json()["reason"] for each in answers} == {"token_reuse"}
    reuse = await trail.once("authn_token_reuse", sid=sid)
    assert (reuse["level"], reuse["device"]) == ("critical", BROWSER)
    ended = await trail.once("session_expired", sid=sid)
    assert (ended["reason"], ended["device"]) == ("token_reuse", "test browser")
    assert len(await trail.all("session_use_after_expire", 2, sid=sid)) == 2


async def test_a_place_that_was_needed_is_one_line(people: People, trail: Trail) -> None:
    ada = await people.somebody()
    first = ada.sid
    for _ in range(2):
        await people.again(ada)
    assert (await trail.once("session_expired", sid=first))["reason"] == "session_limit"


@pytest.mark.proves("16.3.2")
async def test_who_may_not_is_told_of_with_the_name(people: People, trail: Trail) -> None:
    mallory, ada = await people.somebody(), await people.somebody()
    name = await user_of(mallory)
    await mallory.request("GET", "/api/admin/users/root/sessions")
    refused = await trail.once("authz_fail", user=name)
    assert refused["path"] == "/api/admin/users/root/sessions"
    await mallory.request("DELETE", f"/api/sessions/{ada.sid}")
    tried = await trail.once("malicious_direct_reference", user=name)
    assert (tried["target"], tried["level"]) == (ada.sid, "critical")
    await ada.request("POST", "/api/logout")
    await mallory.request("DELETE", f"/api/sessions/{ada.sid}")
    assert await trail.once("malicious_direct_reference", user=name)


@pytest.mark.proves("16.3.3")
async def test_requests_that_are_not_from_our_pages_are_told_of(
    people: People, trail: Trail
) -> None:
    ada = await people.somebody()
    name = await user_of(ada)
    await ada.request("POST", "/api/session/rotate", X_CSRF_Token="wrong")
    csrf = await trail.once("malicious_csrf", user=name)
    assert (csrf["why"], csrf["path"]) == ("wrong", "/api/session/rotate")
    await ada.request("POST", "/api/logout", Origin="https://evil.test")
    assert await trail.once("malicious_cors", origin="https://evil.test")
    await ada.request("GET", "/", Host="evil.test")
    assert await trail.once("malicious_host", host="evil.test")


@pytest.mark.proves("A9", "16.3.3")
async def test_forged_and_duplicate_cookies_are_told_of(people: People, trail: Trail) -> None:
    visitor = await people.visitor()
    visitor.cookie = "2|1:0|10:1800000000|10:forged|4:AAAA|" + "0" * 64
    await visitor.http.get("/", headers=[(b"User-Agent", HOSTILE)])
    forged = await trail.once("malicious_cookie", why="forged")
    assert len(forged["device"]) == 256
    header = visitor.http.headers["Cookie"]
    await visitor.http.get("/", headers=[("Cookie", header), ("Cookie", header)])
    assert await trail.once("malicious_cookie", why="duplicate")


@pytest.mark.proves("16.3.3")
async def test_a_token_overtaken_by_a_proved_password_is_told_of(
    people: People, trail: Trail
) -> None:
    ada = await people.somebody()
    await ada.request("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    overtaken = Client(ada.url)
    async with overtaken:
        overtaken.cookie = ada.cookie
        await ada.request("POST", "/api/session/reauthenticate", {"password": PASSWORD})
        await overtaken.request("GET", "/api/session")
    refused = await trail.once("malicious_cookie", why="overtaken")
    assert refused["sid"] == ada.sid


@pytest.mark.proves("16.3.2", "7.4.5")
async def test_what_administrators_and_commands_do_names_them(
    server: CurfewServer, people: People, trail: Trail
) -> None:
    ada = await people.somebody()
    name = await user_of(ada)
    root = await (await people.visitor()).sign_in("root")
    await root.request("GET", f"/api/admin/users/{name}/sessions")
    await root.request("DELETE", f"/api/admin/users/{name}/sessions")
    acts = await trail.all("authz_admin", 2, user=name)
    assert [(each["act"], each["actor"]) for each in acts] == [
        ("list_sessions", "root"),
        ("end_sessions", "root"),
    ]
    assert (await trail.once("session_expired", sid=ada.sid))["actor"] == "root"
    ran = await asyncio.to_thread(server.command, "user", "disable", name)
    lines = Trail.read(ran.stderr)
    assert [each["event"] for each in lines] == ["authz_admin", "user_updated"]
    assert {each["actor"].partition(",")[0] for each in lines} == {"command line"}


async def test_a_timeout_that_no_request_finds_is_told_by_the_one_process_that_ended_it() -> None:
    with CurfewServer(processes="2", log_format="json", idle_timeout="1s") as server:
        async with AsyncExitStack() as stack:
            trail = Trail(server)
            ada = await stack.enter_async_context(Client(server.url, BROWSER))
            await ada.sign_up("ada")
            sockets = [await stack.enter_async_context(ada.open_socket()) for _ in range(8)]
            for each in sockets:
                await frame(each, "hello")
            ends = await asyncio.gather(*(end_of(each) for each in sockets))
            assert {each.code for each in ends} == {4408}
            ended = await trail.once("session_expired", sid=ada.sid)
            assert (ended["reason"], ended["device"]) == ("idle_timeout", BROWSER)
            answer = await ada.request("GET", "/api/session")
            assert answer.json()["event"] == ended["end"]
            assert await trail.once("session_use_after_expire", sid=ada.sid)


@pytest.mark.proves("16.4.1", "A82b")
async def test_every_line_of_the_log_is_one_object(people: People, server: CurfewServer) -> None:
    visitor = await people.visitor()
    credentials = {"username": "a\nb\x1b[31m", "password": "c\r\nd" * 5}
    agent = [(b"User-Agent", HOSTILE)]
    await visitor.http.post("/api/login", json=credentials, headers=agent)
    for line in server.log.splitlines():
        assert line.startswith(("Curfew serves on ", "Its data folder, ")) or Trail.read(
            line, every=True
        )
        assert line.isprintable()
