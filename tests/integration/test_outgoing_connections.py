"""Whatever people do, the server connects to its store and to nothing else."""

import re
from pathlib import Path

import pytest

from server.embedded.paths import socket_path
from tests.support.clients.client import PASSWORD, Client, frame
from tests.support.servers.server import CurfewServer

WATCHED = Path(__file__).with_name("watched_run.py")


@pytest.mark.proves("13.2.4", "13.2.5")
async def test_the_store_is_all_that_a_server_connects_to() -> None:
    with CurfewServer(script=WATCHED, processes="2") as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            async with ann.open_socket() as socket:
                await frame(socket, "hello")
            await ann.request("POST", "/api/totp")
            for path in ("/", "/account", "/account/security", "/openapi.json", "/metrics"):
                assert (await ann.request("GET", path)).status_code == 200
            wrong = {"username": "ann", "password": PASSWORD[::-1]}
            assert (await ann.request("POST", "/api/login", wrong)).status_code == 401
            changed = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
            assert (await ann.request("PUT", "/api/password", changed)).status_code == 200
            assert (await ann.request("POST", "/api/logout")).status_code == 200
        told = set(re.findall(r"^connects to (.*)$", server.log, re.MULTILINE))
        assert told == {repr(str(socket_path(server.data_dir)))}
