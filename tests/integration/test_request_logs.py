"""The log of a real server, as a program reads it: who asked what, and which lines belong to it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.support.clients.client import Client, frame
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(log_format="json", trusted_proxies="127.0.0.1") as running:
        yield running


@pytest.fixture
async def client(server: CurfewServer) -> AsyncIterator[Client]:
    async with Client(server.url) as client:
        yield client


def lines_of(server: CurfewServer, **facts: object) -> list[dict[str, Any]]:
    """The lines with these facts."""
    found = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [line for line in found if facts.items() <= line.items()]


def line_of(server: CurfewServer, **facts: object) -> dict[str, Any]:
    """The only line with these facts, as soon as it is written."""
    (line,) = eventually(lambda: lines_of(server, **facts))
    return line


async def test_a_line_of_an_answer_has_everything_as_fields(
    server: CurfewServer, client: Client
) -> None:
    await client.sign_up("logs-ada")
    answer = await client.request(
        "GET", "/api/session?token=hush", X_Request_ID="from-the-proxy", traceparent=TRACEPARENT,
        X_Forwarded_For="192.0.2.7",
    )  # fmt: skip
    assert answer.headers["X-Request-ID"] == "from-the-proxy"
    assert answer.headers["traceparent"].startswith(f"00-{TRACE}-")
    line = line_of(server, request_id="from-the-proxy", logger="curfew.access")
    assert line["duration_ms"] > 0
    assert re.fullmatch(r"[0-9a-f]{12}", line["node"])
    expected = {
        "method": "GET",
        "path": "/api/session",
        "status": 200,
        "ip": "192.0.2.7",
        "sid": client.sid,
        "pid": workers_of(server)[0],
        "trace_id": TRACE,
        "level": "info",
    }
    assert expected.items() <= line.items()
    assert "hush" not in server.log


async def test_all_lines_of_a_request_name_it(server: CurfewServer, client: Client) -> None:
    answer = await client.request(
        "POST", "/api/login", {"username": "nobody", "password": "a password that is wrong"}
    )
    assert answer.status_code == 401
    name = answer.headers["X-Request-ID"]
    line_of(server, request_id=name, logger="curfew.access", problem="wrong-credentials")
    assert line_of(server, request_id=name, logger="curfew.audit")["event"] == "authn_login_fail"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/css/curfew.css", "/healthz", "/ws"])
async def test_every_answer_names_its_request(server: CurfewServer, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        one, two = [(await http.get(path)).headers["X-Request-ID"] for _ in range(2)]
    assert re.fullmatch(r"[0-9a-f]{32}", one)
    assert one != two


async def test_a_socket_has_a_name_too(server: CurfewServer, client: Client) -> None:
    await client.sign_up("logs-bob")
    async with client.open_socket(additional_headers={"X-Request-ID": "a-socket"}) as socket:
        await frame(socket, "hello")
        assert socket.response is not None
        assert socket.response.headers["X-Request-ID"] == "a-socket"
    line = line_of(server, request_id="a-socket", logger="curfew.access")
    assert (line["status"], line["sid"]) == (101, client.sid)


async def test_probes_are_not_in_a_log_of_the_usual_level(
    server: CurfewServer, client: Client
) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/api/session"):
        await client.request("GET", path)
    line_of(server, path="/api/session", status=401)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert lines_of(server, path=path) == []


async def test_a_level_leaves_out_what_is_below_it_but_no_event_of_the_audit_trail() -> None:
    with CurfewServer(log_format="json", log_level="warning") as quiet:
        async with Client(quiet.url) as client:
            await client.sign_up("logs-cyd")
            await client.request("GET", "/api/session")
            eventually(lambda: lines_of(quiet, logger="curfew.audit", event="authn_login_success"))
        assert quiet.stop() == 0
        assert lines_of(quiet, logger="curfew.access") == []


async def test_debugging_shows_the_probes() -> None:
    with CurfewServer(log_level="debug") as loud:
        eventually(lambda: "DEBUG   curfew.access  200 GET /readyz" in loud.log)
