"""The example of rooms, as its README shows it: on two processes, and on two phones at night.

The first tests have a loop of their own, so they come before those with a browser.
"""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from websockets.asyncio.client import ClientConnection

from curfew.testing import Client, Server, frame
from tests.support.browsers.axe import violations
from tests.support.browsers.chromium import Windows
from tests.support.clients.client import PASSWORD
from tests.support.pictures.examples import STAYS, huddle, say

pytestmark = pytest.mark.browser

ROOM = {"room": "huddle:1"}
PHONE = {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}
SIDEWAYS = "() => document.documentElement.scrollWidth > innerWidth"
LOSE = """async (words) => {
  words.closest('li').remove();
  const { session } = await import('/static/js/current.js');
  const detail = { type: 'lost', room: document.getElementById('room').dataset.room, position: '' };
  session.dispatchEvent(new CustomEvent('lost', { detail }));
}"""
"""As if the line had not come, and the server had said so."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Two processes of it, which ada administers."""
    with huddle(processes="2") as server:
        made = server.command("user", "add", "ada", "--admin", given=f"{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
        yield server


async def send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def join(socket: ClientConnection, **fields: str) -> str:
    """Join the room, and return the position."""
    await send(socket, "join", **ROOM, **fields)
    return str((await frame(socket, "joined"))["position"])


async def hears_only(socket: ClientConnection, *words: str) -> bool:
    """Whether just this was said since the last time."""
    await send(socket, "ping")
    said = []
    while (received := json.loads(await socket.recv()))["type"] != "pong":
        if received["type"] == "published":
            said.append(received["data"]["text"])
    return said == list(words)


async def test_people_talk_are_removed_and_signed_out_and_hear_what_they_missed(
    server: Server,
) -> None:
    async with server.client() as ada, server.client() as bea, server.client() as cleo:
        await asyncio.gather(ada.sign_in("ada"), bea.sign_up("bea"), cleo.sign_up("cleo"))
        opened = await ada.submit("/", name="Garden")
        assert opened.headers["Location"] == "/rooms/1"
        assert (await bea.request("GET", "/rooms/1/people")).status_code == 403
        await they_talk(bea, cleo, ada)
        await one_is_removed(bea, cleo, ada)
        await one_is_signed_out(bea, ada)
    file = server.environment["HUDDLE_DATABASE"].partition(":///")[2]
    with sqlite3.connect(file) as database:
        names = database.execute("select user from accounts order by user").fetchall()
    assert names == [("ada",), ("bea",), ("cleo",)]


async def test_people_open_as_many_rooms_as_there_may_be() -> None:
    with huddle(rooms=2) as server:
        async with server.client() as ada:
            await ada.sign_up("ada")
            names = ("Garden", "Kitchen", "Attic", "Cellar")
            answers = await asyncio.gather(*(ada.submit("/", name=name) for name in names))
            assert sorted(each.status_code for each in answers) == [303, 303, 409, 409]
            refused = await ada.submit("/", name="Roof")
            assert refused.status_code == 409
            assert "There are as many rooms as there may be." in refused.text
            assert 'value="Roof"' in refused.text


async def they_talk(bea: Client, cleo: Client, ada: Client) -> None:
    async with (
        bea.open_socket(path="/ws/huddle") as here,
        bea.open_socket(path="/ws/huddle") as second,
        cleo.open_socket(path="/ws/huddle") as there,
    ):
        for socket in (here, second, there):
            await join(socket)
        await send(here, "say", **ROOM, text=" Who waters the tomatoes? ")
        said = (await frame(there, "published"))["data"]
        assert (said["user"], said["text"]) == ("bea", "Who waters the tomatoes?")
        await send(there, "presence", **ROOM)
        people = (await frame(there, "present"))["people"]
        assert {each["user"]: each["sockets"] for each in people} == {"bea": 2, "cleo": 1}
        page = (await ada.request("GET", "/rooms/1")).text
        assert "Who waters the tomatoes?" in page
        assert "<bdi>bea</bdi> in 2 tabs" in page
        for wrong, code in (("huddle:2", "no-such-room"), ("huddle:" + "9" * 99, "no-such-room")):
            await send(here, "say", room=wrong, text="?")
            assert (await frame(here, "error"))["code"] == code
        await send(here, "say", **ROOM, text=" ")
        assert (await frame(here, "error"))["code"] == "not-said"


async def one_is_removed(bea: Client, cleo: Client, ada: Client) -> None:
    async with (
        bea.open_socket(path="/ws/huddle") as here,
        cleo.open_socket(path="/ws/huddle") as there,
    ):
        await join(here)
        await join(there)
        done = await ada.submit("/rooms/1/people/remove", user="cleo")
        assert "cleo is out of the room." in done.text
        await ada.submit("/rooms/1", text="Now we are alone.")
        assert (await frame(here, "published"))["data"]["kind"] == "removed"
        assert await hears_only(here, "Now we are alone.")
        assert (await frame(there, "left"))["reason"] == "removed"
        assert await hears_only(there)
        await send(there, "join", **ROOM)
        assert (await frame(there, "error"))["code"] == "not_a_member"
        await send(there, "say", **ROOM, text="Hello?")
        assert (await frame(there, "error"))["code"] == "removed-from-room"
        for path in ("/rooms/1", "/api/rooms/1/lines"):
            assert (await cleo.request("GET", path)).status_code == 403
        assert (await ada.submit("/rooms/1/people/admit", user="cleo")).status_code == 200
        await join(there)


async def one_is_signed_out(bea: Client, ada: Client) -> None:
    async with bea.open_socket(path="/ws/huddle") as here:
        position = await join(here)
        done = await ada.submit("/rooms/1/people/end", user="bea")
        assert "1 session ended: 1 tab closed on 2 servers" in done.text
        assert (await frame(here, "ended"))["reason"] == "admin"
    await ada.submit("/rooms/1", text="Where is bea?")
    await bea.sign_in("bea")
    async with bea.open_socket(path="/ws/huddle") as here:
        await join(here, after=position)
        missed = await frame(here, "published")
        assert (missed["data"]["text"], missed["replayed"]) == ("Where is bea?", True)
        assert (await frame(here, "replayed"))["complete"] is True
        await send(here, "leave", **ROOM)
        await join(here, after="of-another-store.1")
        assert (await frame(here, "replayed"))["complete"] is False
    told = (await bea.request("GET", f"/api/rooms/1/lines?after={missed['data']['id'] - 1}")).json()
    assert told == {"lines": [missed["data"]], "complete": True}


def open_phone(windows: Windows, name: str, *steps: str) -> Page:
    """A phone of somebody who has signed in, and up before where that is one of the steps."""
    phone = windows.open(reduced_motion="reduce", **PHONE)
    for path in (*steps, "/api/login"):
        phone.request.post(path, data={"username": name, "password": PASSWORD})
    return phone.new_page()


def test_two_people_talk_until_one_is_removed_and_signed_out(windows: Windows) -> None:
    ada, dora = open_phone(windows, "ada"), open_phone(windows, "dora", "/api/signup")
    ada.goto("/")
    ada.get_by_label("Name of the room").fill("Kitchen")
    ada.keyboard.press("Enter")
    expect(ada.locator("#people")).to_have_text("ada")
    dora.goto(ada.url)
    expect(ada.locator("#came")).to_have_text("dora has come.")
    expect(ada.locator("#people li")).to_have_count(2)
    say(ada, "Who washes up?")
    expect(dora.locator("#lines .words")).to_have_text("Who washes up?")
    dora.locator("#lines .words").evaluate(LOSE)
    expect(dora.locator("#lines .words")).to_have_text("Who washes up?")
    expect(dora.locator("#behind")).to_be_hidden()
    assert violations(ada) == []
    ada.get_by_role("link", name="People").click()
    assert violations(ada) == []
    ada.get_by_role("button", name="Remove from the room (dora)").click()
    expect(dora.locator("#out")).to_be_visible()
    expect(dora.locator("#say")).to_have_count(0)
    dora.route(STAYS, lambda route: route.fulfill(status=204))
    ada.get_by_role("button", name="End all sessions (dora)").click()
    expect(ada.locator("main .notice")).to_contain_text("1 session ended: 1 tab closed")
    expect(dora.locator("#ended")).to_contain_text("An administrator ended this session.")
    assert not any(page.evaluate(SIDEWAYS) for page in (ada, dora))
