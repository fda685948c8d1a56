"""The application on a real server: `make test`."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from curfew.testing import Server, frame

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Two processes, as in production."""
    settings = {"HUDDLE_LONGEST_GREETING": "10"}
    with Server("huddle:application", folder=ROOT, environment=settings, processes="2") as server:
        yield server


def test_a_greeting_is_kept_in_the_session_and_shown_on_the_page(server: Server) -> None:
    async def scenario() -> None:
        async with server.client() as ada:
            await ada.sign_up("ada")
            kept = await ada.request("PUT", "/api/greeting", {"greeting": "Good day"})
            assert kept.json() == {"greeting": "Good day"}
            page = await ada.request("GET", "/greeting")
            assert "Good day, <bdi>ada</bdi>!" in page.text
            assert "· Huddle</title>" in page.text

    asyncio.run(scenario())


def test_a_long_greeting_is_refused(server: Server) -> None:
    async def scenario() -> None:
        async with server.client() as bea:
            await bea.sign_up("bea")
            refused = await bea.request("PUT", "/api/greeting", {"greeting": "x" * 11})
            assert refused.status_code == 422

    asyncio.run(scenario())


def test_a_wave_reaches_the_other_tabs_until_the_session_ends(server: Server) -> None:
    async def scenario() -> None:
        async with server.client() as cleo:
            await cleo.sign_up("cleo")
            one, other = cleo.open_socket(path="/ws/waves"), cleo.open_socket(path="/ws/waves")
            async with one as here, other as there:
                await frame(here, "hello")
                await frame(there, "hello")
                await here.send('{"type": "message", "data": "wave"}')
                assert (await frame(there, "message"))["data"] == {"waves": "cleo"}
                assert server.end_session(cleo.sid)
                assert (await frame(there, "ended"))["reason"] == "admin"

    asyncio.run(scenario())


def test_a_session_ends_when_nothing_happens_for_half_an_hour(server: Server) -> None:
    async def scenario() -> None:
        async with server.client() as dora:
            await dora.sign_up("dora")
            server.travel(timedelta(minutes=31))
            ended = await dora.request("GET", "/api/greeting")
            assert ended.status_code == 401
            assert ended.json()["reason"] == "idle_timeout"

    asyncio.run(scenario())


def test_the_command_greets_who_has_an_account(server: Server) -> None:
    assert server.command("greet", "nobody").returncode == 1
    server.command("user", "add", "eve", given="a quiet lantern over the harbour\n")
    assert server.command("greet", "eve").stdout == "Hello, eve!\n"
