"""The application that was written against version 0.1 of the API still does all that it did."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tornado.escape import xhtml_escape

from curfew.testing import Client, Server, eventually, frame

FOLDER = Path(__file__).parent / "kept_application"
NAME = "kept:application"
FAILED = "The lifespan of the application failed at its start: "
NO_SETTING = (
    "There is no setting KEPT_SEAT; the nearest one is KEPT_SEATS. Options has all settings."
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Two processes of it."""
    with Server(NAME, folder=FOLDER, environment={"KEPT_SEATS": "1"}, processes="2") as server:
        yield server


@pytest.fixture
async def ada(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Somebody who is signed in."""
    async with server.client() as client:
        yield await client.sign_up(f"ada-{abs(hash(request.node.name)) % 10**9}")


async def test_its_handlers_read_by_their_declaration(ada: Client) -> None:
    assert (await ada.request("GET", "/api/rooms/red")).json()["seats"] == 1
    booked = await ada.request("POST", "/api/rooms/red", {"name": "a"})
    assert booked.status_code == 200, booked.text
    assert (await ada.request("POST", "/api/rooms/red", {"name": 1})).status_code == 400
    full = await ada.request("POST", "/api/rooms/red", {"name": "b"})
    assert full.json()["type"] == "/problems/room-full"
    described = (await ada.request("GET", "/openapi.json")).json()["paths"]["/api/rooms/{room}"]
    schema = described["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["name"]
    metrics = (await ada.request("GET", "/metrics")).text
    assert 'kept_bookings_total{node="' in metrics


async def test_its_pages_extend_ours_and_errors_are_pages_of_it(ada: Client) -> None:
    page = await ada.request("GET", "/rooms", Accept_Language="fr")
    shown = xhtml_escape("Kept & Co")
    assert "<h1>1 seat</h1>" in page.text
    assert f"<title>Rooms · {shown}</title>" in page.text
    assert "Gardé pour vous." in page.text
    assert "/static/kept/logo.svg?v=" in page.text
    for path, status in (("/rooms?full=1", 409), ("/nowhere", 404)):
        refused = await ada.request("GET", path)
        assert refused.status_code == status
        assert shown in refused.text
        assert "Kept for you." in refused.text
    login = (await ada.request("GET", "/login?next=/rooms", Cookie="none=0")).text
    assert '<nav><a href="/rooms">Rooms</a></nav>' in login
    assert "<svg" in (await ada.request("GET", "/static/kept/logo.svg")).text
    assert (await ada.request("GET", "/static/kept/../../kept.py")).status_code == 404
    assert ":root" in (await ada.request("GET", "/static/css/curfew.css")).text
    assert "#123456" in (await ada.request("GET", "/brand.css")).text


async def test_its_name_is_what_authenticator_apps_show(ada: Client) -> None:
    begun = (await ada.request("POST", "/api/totp")).json()
    assert "issuer=Kept%20%26%20Co" in begun["uri"]


async def test_its_sockets_end_with_the_session(server: Server, ada: Client) -> None:
    async with ada.open_socket(path="/ws/echo") as one, ada.open_socket(path="/ws/echo") as other:
        await frame(one, "hello")
        await frame(other, "hello")
        await one.send('{"type": "message", "data": 7}')
        assert (await frame(other, "message"))["data"]["said"] == 7
        receipt = (await ada.request("POST", "/api/leave")).json()
        assert receipt["sockets_closed"] == 2
        assert (await frame(other, "ended"))["reason"] == "terminated"
    assert server.end_session(ada.sid) is False


def test_its_commands_stand_beside_ours(server: Server) -> None:
    assert server.command("rooms", "seats", "red").stdout.splitlines()[-2:] == [
        "red: 1 seats, 0 ticks", "lifespan ends",
    ]  # fmt: skip
    failed = server.command("rooms", "seats", "none")
    assert (failed.returncode, failed.stderr) == (1, "There is no such room.\n")
    assert server.command("user", "list").returncode == 0


def test_everything_starts_and_stops_once_and_in_order_and_failures_are_seen() -> None:
    with Server(NAME, folder=FOLDER, processes="2") as server:
        eventually(lambda: server.log.count("the task tick failed") >= 2)
        assert server.stop() == 0
        said = [
            line for line in server.log.splitlines() if line.split()[0] in {"machine", "lifespan"}
        ]
    assert said == [
        "machine begins", "lifespan begins", "lifespan begins", "lifespan ends", "lifespan ends",
        "machine ends",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("KEPT_FAILS", "lifespan", FAILED + "RuntimeError: the database is away"),
        ("KEPT_FAILS", "configuration", "The database is of another version."),
        ("KEPT_FAILS", "machine", "The machine's start of the application failed; see above."),
        ("KEPT_SEAT", "3", NO_SETTING),
    ],
)  # fmt: skip
def test_if_it_cannot_start_one_line_says_why_and_nothing_keeps_running(
    variable: str, value: str, line: str
) -> None:
    server = Server(NAME, folder=FOLDER, environment={variable: value})
    ended = subprocess.run(
        [sys.executable, "kept.py"],
        cwd=FOLDER,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    server.clean_up()
    assert ended.returncode == os.EX_CONFIG, ended.stderr
    assert line in ended.stderr.splitlines()
