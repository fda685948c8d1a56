"""Frames of an application's own: typed, and no error of a handler or a check closes the socket."""

import json
from collections.abc import Iterator

import pytest

from tests.support.clients.client import frame
from tests.support.clients.people import People, user_of
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    script = ROOT / "tests" / "support" / "servers" / "rooms.py"
    with CurfewServer(script=script) as running:
        yield running


@pytest.fixture(autouse=True)
def calm_log() -> None:
    """The application of this file is broken on purpose: its errors are in the log."""


async def test_own_frames_are_typed_and_no_error_of_the_application_closes_the_socket(
    people: People, server: CurfewServer
) -> None:
    ann = await people.somebody()
    user, before = await user_of(ann), len(server.log)
    async with ann.open_socket(path="/ws/game") as here:
        await frame(here, "hello")
        await here.send(json.dumps({"type": "move", "x": 1, "y": 2}))
        assert (await frame(here, "published"))["data"] == [user, 1, 2]
        for fields, code in [
            ({"type": "move", "x": 1}, "bad_fields"),
            ({"type": "move", "x": "1", "y": 2}, "bad_fields"),
            ({"type": "move", "x": True, "y": 2}, "bad_fields"),
            ({"type": "move", "x": -1, "y": 2}, "off_the_board"),
            ({"type": "move", "x": 101, "y": 2}, "internal"),
            ({"type": "walk"}, "unknown_type"),
        ]:
            await here.send(json.dumps(fields))
            assert (await frame(here, "error"))["code"] == code
        made = await ann.request("POST", "/do/create", {"room": "broken"})
        assert made.json() == {}
        await here.send('{"type":"join","room":"broken"}')
        assert (await frame(here, "error"))["code"] == "internal"
        await here.send('{"type":"ping"}')
        await frame(here, "pong")
    eventually(lambda: server.log[before:].count("unexpected error") == 2)
    assert "ZeroDivisionError: the application is broken" in server.log[before:]
