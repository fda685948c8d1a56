"""Whom a real nginx and a real HAProxy name as their clients, in every form that they can write."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.running.ports import free_port
from tests.support.servers.balancers import haproxy, nginx
from tests.support.servers.server import CurfewServer

BY_NGINX = {
    "plain": "$remote_addr",
    "with a port": "$remote_addr:$remote_port",
    "quoted": r"'\"$remote_addr:$remote_port\"'",
    "behind what the client says": "$http_x_forwarded_for,$remote_addr:$remote_port",
    "by a second proxy": "$remote_addr:$remote_port,127.0.0.1:80",
}
BY_HAPROXY = {
    "mapped": "[::ffff:%[src]]:%[src_port]",
    "mapped and bare": "::ffff:%[src]",
}
UNNAMED = {
    "missing": '""',
    "unknown": "unknown",
    "hidden": "_c0ffee1234",
    "other": "for=$remote_addr",
}
"""What nginx writes; it leaves out a header with an empty value."""
NGINX = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{server};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For {client};
        }}
    }}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
"""
FRONTEND = """
listen way{port}
    bind 127.0.0.1:{port}
    http-request set-header X-Forwarded-For "{client}"
    server curfew 127.0.0.1:{server}
"""
PORTS = {way: free_port() for way in (*BY_NGINX, *BY_HAPROXY, *UNNAMED)}
GUESSER, PERSON = "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """Behind all of them."""
    origins = ",".join(f"http://127.0.0.1:{port}" for port in PORTS.values())
    with (
        CurfewServer(origins=origins, trusted_proxies="127.0.0.1") as running,
        ExitStack() as stack,
    ):
        servers = "".join(
            NGINX.format(port=PORTS[way], server=running.port, client=client)
            for way, client in (BY_NGINX | UNNAMED).items()
        )
        frontends = "".join(
            FRONTEND.format(port=PORTS[way], server=running.port, client=client)
            for way, client in BY_HAPROXY.items()
        )
        stack.enter_context(nginx(servers, PORTS["plain"]))
        stack.enter_context(haproxy(HAPROXY + frontends, PORTS["mapped"]))
        yield running


async def log_in(way: str, name: str, address: str, password: str = PASSWORD) -> int:
    """Try once; the status."""
    async with Client(f"http://127.0.0.1:{PORTS[way]}", address=address) as client:
        body = {"username": name, "password": password}
        answer = await client.request("POST", "/api/login", body, X_Forwarded_For="6.6.6.6")
        return answer.status_code


async def addresses_of(way: str, name: str) -> set[str]:
    """Sign up and in from the person's address; the addresses in the list of sessions."""
    async with Client(f"http://127.0.0.1:{PORTS[way]}", address=PERSON) as client:
        await client.sign_up(name)
        sessions = (await client.request("GET", "/api/sessions")).json()["sessions"]
        return {str(each["ip"]) for each in sessions}


@pytest.mark.proves("A68", "4.1.3")
@pytest.mark.parametrize("way", [*BY_NGINX, *BY_HAPROXY])
@pytest.mark.usefixtures("server")
async def test_a_balancer_may_write_its_client_in_any_form(way: str) -> None:
    name = f"ann-{list(PORTS).index(way)}"
    assert await addresses_of(way, name) == {PERSON}


@pytest.mark.usefixtures("server")
async def test_one_guesser_behind_a_gateway_that_writes_ports_slows_down_nobody_else() -> None:
    """Azure's gateways write them: each try comes from another port."""
    way = "with a port"
    await addresses_of(way, "bea")
    tries = [await log_in(way, f"nobody-{n}", GUESSER, "not the words") for n in range(22)]
    assert tries[-1] == 429
    assert set(tries[:20]) == {401}
    assert await log_in(way, "bea", PERSON) == 200
    assert await log_in(way, "bea", "127.0.0.4") == 200, "nor at an address that is new"


@pytest.mark.parametrize("why", UNNAMED)
async def test_a_balancer_that_names_no_client_is_told_of(server: CurfewServer, why: str) -> None:
    for number in range(2):
        assert await addresses_of(why, f"cat-{why}-{number}") == {"127.0.0.1"}
    line = f" why='{why}' "
    assert server.log.count(line) == 1
    (told,) = [each for each in server.log.splitlines() if line in each]
    assert " WARNING " in told
    assert "proxy='127.0.0.1'" in told
    assert "c0ffee" not in server.log
    assert "127.0.0.3" not in told
    assert await counted(server, why) >= 6


async def counted(server: CurfewServer, why: str) -> float:
    """How many requests the metric counts."""
    async with Client(server.url) as client:
        text = (await client.request("GET", "/metrics")).text
    (line,) = [
        each
        for each in text.splitlines()
        if each.startswith("curfew_clients_unnamed_total") and f'why="{why}"' in each
    ]
    return float(line.rpartition(" ")[2])
