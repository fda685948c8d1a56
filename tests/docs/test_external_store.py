"""The page about a store of one's own: its ACL rule is enough, and its settings are durable."""

import asyncio
import json
import re
from collections.abc import Iterator

import pytest

from server.store.acl import acl_command
from tests.docs.markdown import blocks, page
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

PAGE = page("docs/howto/external-redis.md")
PATIENCE_SECONDS = 20.0


@pytest.fixture
def store() -> Iterator[ValkeyServer]:
    (conf,) = blocks(PAGE, "conf")
    settings = dict(line.split() for line in conf.text.splitlines())
    given = {name.replace("-", "_"): value for name, value in settings.items()}
    with ValkeyServer(tcp=True, **given) as running:
        yield running


async def test_a_store_as_on_the_page_is_enough_and_durable(store: ValkeyServer) -> None:
    (rule,) = [block.text for block in blocks(PAGE, "text") if block.text.startswith("ACL")]
    assert rule.strip() == acl_command("PASSWORD", replicas=0)
    with store.client() as owner:
        owner.execute_command(*rule.split())
        owner.config_resetstat()
        await exercise(f"redis://curfew:PASSWORD@127.0.0.1:{store.port}/0")
        assert owner.acl_log() == []
        used = {name.removeprefix("cmdstat_") for name in owner.info("commandstats")}
        assert set(re.findall(r"\+([\w|]+)", rule)) == used - {"acl|log", "config|resetstat"}


async def exercise(url: str) -> None:
    """Use everything that asks the store for something."""
    with CurfewServer(store_url=url, processes="2") as server:
        made = server.command("user", "add", "root", "--admin", given=PASSWORD + "\n")
        assert made.returncode == 0, made.stderr
        async with Client(server.url) as ada:
            await ada.sign_up("ada")
            async with ada.open_socket() as socket:
                await frame(socket, "hello")
                await socket.send(json.dumps({"type": "activity"}))
                await socket.send(json.dumps({"type": "message", "data": 1}))
                await ada.request("PATCH", "/api/session/data", {"theme": "dark"})
                await ada.request("POST", "/api/session/rotate")
                await counted(ada)
                receipt = (await ada.request("DELETE", "/api/sessions?scope=all")).json()
                assert (receipt["state"], receipt["durability"]) == ("complete", "fsync")
        listed = server.command("keys", "list")
        assert "by 2 of 2 servers" in listed.stdout, listed.stderr
        everything = server.command("sessions", "end", "--all", "--yes")
        assert everything.returncode == 0, everything.stderr
        assert "durability fsync" in server.command("doctor").stdout


async def counted(ada: Client) -> None:
    """Wait until the list of sessions knows of the socket."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            listed = (await ada.request("GET", "/api/sessions")).json()
            if listed["sessions"][0]["sockets"] == 1:
                return
            await asyncio.sleep(0.02)
