"""A socket of an application's own, whose messages need a recently proved password."""

from collections.abc import Iterator

import pytest

from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.servers.server import ROOT, CurfewServer


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    script = ROOT / "tests" / "support" / "servers" / "orders.py"
    with CurfewServer(script=script, reauthentication_window="1s") as running:
        yield running


async def test_its_messages_obey_the_reauthentication_window(server: CurfewServer) -> None:
    order = '{"type":"message","data":"an order"}'
    async with Client(server.url) as ann:
        await ann.sign_up("ann")
        async with ann.open_socket(path="/ws/orders") as socket:
            await frame(socket, "hello")
            await socket.send(order)
            assert (await frame(socket, "message"))["data"] == "an order"

            while (await ann.request("DELETE", "/api/sessions/x")).status_code != 403:
                pass
            await socket.send(order)
            assert (await frame(socket, "error"))["code"] == "reauthentication-required"

            await ann.request("POST", "/api/session/reauthenticate", {"password": PASSWORD})
            await socket.send(order)
            assert (await frame(socket, "message"))["data"] == "an order"
