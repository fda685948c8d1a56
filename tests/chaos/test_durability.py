"""What a receipt said is true after a crash of everything at once."""

import os
import signal

import pytest

from tests.support.clients.client import Client
from tests.support.clients.people import user_of
from tests.support.clients.sockets import end_of
from tests.support.running.processes import eventually, lives, processes_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

pytestmark = [pytest.mark.chaos, pytest.mark.alone]

CRASHES = 10


@pytest.mark.proves("A38", "A100b")
async def test_a_crash_right_after_the_receipt_brings_no_session_back() -> None:
    with CurfewServer(node_lease="1s") as server:
        async with Client(server.url) as other:
            await other.sign_up("survivor")
            for crash in range(CRASHES):
                async with Client(server.url) as client:
                    await client.sign_in("survivor")
                    receipt = (await client.request("POST", "/api/logout", keep=False)).json()
                    _kill_all(server)
                    server.start()

                    assert receipt["durability"] == "fsync"
                    # The process that was killed before is listed until its lease is over.
                    assert receipt["state"] in {"complete", "bounded"}
                    await _check_dead(client, receipt["event"])
                    alive = await other.request("GET", "/api/session")
                    assert alive.status_code == 200, f"signed out by crash {crash}"
                    assert await user_of(other) == "survivor"


async def _check_dead(client: Client, event: str) -> None:
    answer = await client.request("GET", "/api/session", keep=False)
    assert answer.status_code == 401
    assert answer.json()["reason"] == "logout"
    async with client.open_socket() as socket:
        end = await end_of(socket)
    assert (end.code, end.reason) == (4401, "logout")
    assert end.last["event"] == event


def _kill_all(server: CurfewServer) -> None:
    """Kill the parent, its workers, the store and its guard; the parent first, as it repairs."""
    pids = [server.pid, *workers_of(server), *processes_of(server.data_dir)]
    assert len(pids) >= 4
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    server.stop(signal.SIGKILL)
    eventually(lambda: not any(lives(pid) for pid in pids))
