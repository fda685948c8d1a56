"""A server under a service manager: it is told what happens, and a restart refuses nobody."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.clients.client import PASSWORD
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.unit_sandbox import values
from tests.support.servers.workers import workers_of

UNIT = ROOT / "examples" / "deploy" / "systemd" / "curfew.service"
SOCKET_UNIT = UNIT.with_suffix(".socket")
PYTHON = str(ROOT / ".venv" / "bin" / "python")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


class ServiceManager:
    """The socket that a server tells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)

    def hear(self, line: str) -> str:
        """Wait for a message with this line."""
        while True:
            message = self._socket.recv(4096).decode()
            if line in message.splitlines():
                return message

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    made = ServiceManager(tmp_path / "notify")
    yield made
    made.close()


def test_a_confined_server_tells_its_manager_all_that_it_does(manager: ServiceManager) -> None:
    """Sign-up, hashing, the embedded store and a reload get by with what the unit allows."""
    server = CurfewServer()
    server.launcher = [PYTHON, "-m", "tests.support.servers.unit_sandbox", str(UNIT)]
    server.variables = {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "3000000"}
    with server:
        manager.hear("READY=1")
        manager.hear("STATUS=Workers that serve: 1 of 1.")
        account = {"username": "ada", "password": PASSWORD}
        with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as client:
            assert client.post("/api/signup", json=account).status_code == 201
            assert client.post("/api/login", json=account).status_code == 200
        manager.hear("WATCHDOG=1")
        os.kill(server.pid, signal.SIGHUP)
        assert "MONOTONIC_USEC=" in manager.hear("RELOADING=1")
        manager.hear("READY=1")
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        manager.hear("STATUS=Workers that serve: 0 of 1.")
        manager.hear("STATUS=Workers that serve: 1 of 1.")
        assert server.stop() == 0
        assert "EXTEND_TIMEOUT_USEC=" in manager.hear("STOPPING=1")


def test_the_unit_is_right_and_as_hardened_as_the_page_says() -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(UNIT), str(SOCKET_UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in checked.stderr.splitlines() if "is not executable" not in line]
    assert told == [], "only the program of the page's folder may be missing"
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(UNIT)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    level = ran.stdout.rpartition("exposure level for curfew.service: ")[2].split()[0]
    page = ROOT / "docs" / "howto" / "install-as-a-service.md"
    assert f"Overall exposure level for curfew.service: {level} OK" in page.read_text("utf-8")
    assert values(UNIT, "RestartPreventExitStatus") == [str(os.EX_CONFIG)]


class Askers:
    """Several who ask all the time, each request on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.statuses: list[int | str] = []
        self.longest = 0.0
        self._url = url
        self._stops = False

    async def run_while(self, work: object) -> None:
        """Ask until the work is done."""
        asking = [asyncio.create_task(self._ask()) for _ in range(4)]
        await work  # type: ignore[misc]  # an awaitable
        self._stops = True
        await asyncio.gather(*asking)

    async def served(self, least: int) -> None:
        """Wait for so many answers."""
        await asyncio.to_thread(eventually, lambda: len(self.statuses) >= least)

    async def _ask(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            while not self._stops:
                began = time.monotonic()
                try:
                    self.statuses.append((await client.get(f"{self._url}/login")).status_code)
                except httpx.HTTPError as error:
                    self.statuses.append(repr(error))
                self.longest = max(self.longest, time.monotonic() - began)
                await asyncio.sleep(0.02)


async def test_a_single_server_that_restarts_behind_its_socket_refuses_nobody() -> None:
    server = CurfewServer()
    with socket.create_server(("127.0.0.1", server.port), backlog=4096) as listening:
        activated = [PYTHON, "-m", "tests.support.servers.activated"]
        server.launcher = [*activated, str(listening.fileno())]
        server.passed = [listening.fileno()]
        with server:
            assert f"on the service manager's 127.0.0.1:{server.port} with" in server.log
            askers = Askers(server.url)

            async def restart() -> None:
                await askers.served(12)
                assert await asyncio.to_thread(server.stop) == 0
                await asyncio.to_thread(server.start)
                await askers.served(24)

            await askers.run_while(restart())
    assert set(askers.statuses) == {200}, askers.statuses
    assert len(askers.statuses) > 20
    assert askers.longest > 0.5, "nobody asked during a restart"


def test_a_server_on_a_unix_socket_knows_its_clients_by_what_the_proxy_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "http.sock"
    server = OnUnixSocket(host=f"unix:{path}", trusted_proxies="127.0.0.1", signup="open")
    server.path = path
    with server:
        assert f"Curfew serves on unix:{path} with" in server.log
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        transport = httpx.HTTPTransport(uds=str(path))
        headers = {"Origin": server.url, "Host": f"127.0.0.1:{server.port}"}
        account = {"username": "ada", "password": PASSWORD}
        with httpx.Client(transport=transport, base_url="http://curfew", headers=headers) as client:
            assert client.post("/api/signup", json=account).status_code == 201
            client.headers["X-Forwarded-For"] = "203.0.113.7"
            cookie = client.post("/api/login", json=account).headers["Set-Cookie"].split(";")[0]
            client.headers["Cookie"] = cookie
            listed = client.get("/api/sessions").json()["sessions"]
            assert [each["ip"] for each in listed] == ["203.0.113.7"]
        assert "problem" not in server.command("doctor").stdout
        with (
            pytest.raises(AssertionError, match=r"CURFEW_HOST unix:.* another program listens"),
            CurfewServer(host=f"unix:{path}"),
        ):
            pass


class OnUnixSocket(CurfewServer):
    """A server that no port leads to."""

    path: Path

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        if not self.path.exists():
            return False
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.path))) as client:
            return client.get("http://any/readyz").status_code == 200
