"""Servers are restarted one after the other behind a balancer, and nobody sees it."""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.running.ports import free_port
from tests.support.servers.balancers import haproxy, nginx
from tests.support.servers.proxy import Proxy
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

pytestmark = [pytest.mark.chaos, pytest.mark.alone]

RESTARTS = 20 if os.environ.get("CURFEW_FAULTS") == "all" else 4
"""Twenty with `make balancers`, where one request in ten thousand was still answered 502."""
CLIENTS = 8
PAUSE_SECONDS = 0.005
"""Between two requests of a client; so the balancer's connections are always in use."""
WAY_SECONDS = 0.03
"""From nginx to a server that is far away."""

NGINX = """
upstream curfew {{
    server 127.0.0.1:{one} fail_timeout=1s;
    server 127.0.0.1:{two} fail_timeout=1s;
    keepalive 16;
}}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://curfew;
        proxy_http_version 1.1;
        proxy_set_header Host 127.0.0.1:{port};
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    option redispatch
frontend people
    bind 127.0.0.1:{port}
    default_backend curfew
backend curfew
    option httpchk GET /readyz
    http-reuse always
    option forwardfor
    default-server check inter 500ms fall 1 rise 1
    server one 127.0.0.1:{one}
    server two 127.0.0.1:{two}
"""


@pytest.fixture
def ports() -> list[int]:
    """Where balancers listen."""
    return [free_port(), free_port()]


@pytest.fixture
def servers(valkey: ValkeyServer, ports: list[int]) -> Iterator[list[CurfewServer]]:
    """Two servers on one store, with the same keys."""
    valkey.flush()
    with ExitStack() as stack:
        common: dict[str, Any] = {
            "store_url": valkey.url,
            "origins": ",".join(f"http://127.0.0.1:{port}" for port in ports),
            "trusted_proxies": "127.0.0.1",
            "node_lease": "2s",
        }
        one = stack.enter_context(CurfewServer(**common))
        keys = str(one.data_dir / "secret_keys")
        yield [one, stack.enter_context(CurfewServer(secret_keys_file=keys, **common))]


class Load:
    """Clients that ask through the balancer without a pause, also what must not be sent twice.

    Attributes:
        answers: how often which status was answered, by method.
    """

    def __init__(self, port: int) -> None:
        self.answers: Counter[tuple[str, int]] = Counter()
        self._url = f"http://127.0.0.1:{port}"
        self._stops = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask until the block ends."""
        async with Client(self._url) as person:
            await person.sign_up(f"restarts-{self._url.rpartition(':')[2]}", PASSWORD)
            tasks = [asyncio.create_task(self._ask(person)) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self._stops = True
                await asyncio.gather(*tasks)

    async def _ask(self, person: Client) -> None:
        for method in itertools.cycle(["GET", "POST"]):
            if self._stops:
                return
            path = "/api/session" if method == "GET" else "/api/session/rotate"
            try:
                status = (await person.request(method, path)).status_code
            except httpx.HTTPError:
                status = 0
            self.answers[method, status] += 1
            await asyncio.sleep(PAUSE_SECONDS)


async def restart_all(servers: list[CurfewServer], number: int) -> None:
    """Restart one after the other, each when the one before serves again."""
    for each in range(number):
        server = servers[each % 2]
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - began < 10
        await asyncio.to_thread(server.start)
        await asyncio.sleep(1.2)  # nginx tries it again a second after it was refused


async def test_no_request_fails_over_restarts_behind_nginx_and_behind_haproxy(
    servers: list[CurfewServer], ports: list[int]
) -> None:
    one, two = (each.port for each in servers)
    loads = [Load(port) for port in ports]
    with ExitStack() as stack:
        for run, template, port in zip((nginx, haproxy), (NGINX, HAPROXY), ports, strict=True):
            stack.enter_context(run(template.format(port=port, one=one, two=two), port))
        async with loads[0].running(), loads[1].running():
            await restart_all(servers, RESTARTS)
    told = {name: load.answers for name, load in zip(("nginx", "HAProxy"), loads, strict=True)}
    for load in loads:
        assert {status for _, status in load.answers} == {200}, told
        assert load.answers["POST", 200] > RESTARTS * 10


async def test_a_connection_that_a_distant_nginx_keeps_ends_with_an_answer(
    servers: list[CurfewServer], ports: list[int]
) -> None:
    """A close and the next request pass each other on a long way: what nginx then answers is 502.

    While the server is unready, its balancer stops sending new connections, as an operator would.
    """
    leaving, staying = servers
    port = ports[0]
    load = Load(port)
    with Proxy(leaving.port) as way:
        way.slow_down(WAY_SECONDS)
        with nginx(NGINX.format(port=port, one=way.port, two=staying.port), port):
            async with load.running():
                await asyncio.sleep(1)
                stopping = asyncio.create_task(asyncio.to_thread(leaving.stop))
                await asyncio.sleep(1)
                way.refuse_new()
                assert await stopping == 0
                await asyncio.sleep(1)
    assert {status for _, status in load.answers} == {200}, load.answers
    assert load.answers["POST", 200] > CLIENTS
