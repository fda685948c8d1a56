"""The testing kit with pytest-tornado, as docs/howto/test-your-application.md shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import Application as TornadoApplication

from curfew import Application, PageHandler, Reason, receipt_notice
from curfew.testing import Client, InProcess, frame

pytestmark = pytest.mark.gen_test

PAGE = """{% extends "base.html" %}{% block content %}{% include "outcome.html" %}{% end %}"""
TEXTS = '[greeting]\nhello = "Hello, {name}!"\n[other]\nwords = "Not for scripts."\n'


class Greeting(PageHandler):
    """A page with a socket, texts and a receipt of its own."""

    socket = "/ws/greeting"
    texts_for_scripts = ("greeting",)

    def get(self) -> None:
        """Show it."""
        self.render("greeting.html", error=None, notice=[])

    async def post(self) -> None:
        """End the sessions of somebody."""
        user = self.field("user")
        receipt = await self.services.terminations.all_of(user, Reason.ADMIN)
        self.render("greeting.html", error=None, notice=receipt_notice(self, receipt))


@pytest.fixture
def app(io_loop: IOLoop, http_port: int, tmp_path: Path) -> Iterator[TornadoApplication]:
    """What pytest-tornado's `http_server` serves."""
    (tmp_path / "greeting.html").write_text(PAGE, "utf-8")
    (tmp_path / "en.toml").write_text(TEXTS, "utf-8")
    application = Application(
        "greetings", routes=[("/greeting", Greeting)], templates=tmp_path, languages=tmp_path
    )
    served = InProcess(application, port=http_port)
    io_loop.run_sync(lambda: served.open(listens=False))
    yield served.tornado
    io_loop.run_sync(served.close)


async def test_its_client_and_ours_reach_the_application(
    http_client: AsyncHTTPClient, base_url: str
) -> None:
    refused = await http_client.fetch(f"{base_url}/api/session", raise_error=False)
    assert refused.code == 401
    url = base_url.replace("localhost", "127.0.0.1")
    async with Client(url) as ada, Client(url) as bob:
        await ada.sign_up("ada")
        page = (await ada.request("GET", "/greeting")).text
        assert 'data-socket="/ws/greeting"' in page
        assert "Hello, {name}!" in page
        assert "Not for scripts." not in page
        assert "data-socket" not in (await ada.request("GET", "/account")).text
        await bob.sign_up("bob")
        async with bob.open_socket() as socket:
            await frame(socket, "hello")
            ended = await ada.submit("/greeting", user="bob")
            assert "1 session ended: 1 tab closed" in ended.text
            assert (await frame(socket, "ended"))["reason"] == "admin"
