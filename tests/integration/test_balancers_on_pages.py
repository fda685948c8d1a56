"""The configurations of nginx, HAProxy and Caddy on the pages, run as they are written there.

Only the addresses, and the paths of the certificate, are those of the test.
"""

import asyncio
import os
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from server.crypto.certificate import ensure_certificate
from server.crypto.keyring import new_secret
from tests.docs.markdown import blocks, page
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.balancers import caddy, haproxy, nginx
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer

ORIGIN = "https://app.example"
CLIENT = "127.0.0.7"
BALANCERS = page("docs/balancers.md")
ONE_PROXY = page("docs/howto/behind-a-tls-proxy.md")

OF_CADDY = """https://app.example:{port} {{
	bind 127.0.0.1 ::1
	tls {files}.crt {files}.key"""
SLOW_SECONDS = 25.0
"""How long a client may take that stops in the middle; each side waits about 10 s."""

ALL = os.environ.get("CURFEW_FAULTS") == "all"
"""Whether to run what `make balancers` runs besides."""
PROXY_PROTOCOL = "proxy_protocol"

Balancer = Callable[[str, int], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def servers() -> Iterator[list[CurfewServer]]:
    """The two machines."""
    key = new_secret()
    with ValkeyServer() as store, machine(store, key) as one, machine(store, key) as two:
        yield [one, two]


def machine(store: ValkeyServer, key: str) -> CurfewServer:
    """A machine with the settings of the page."""
    return CurfewServer(
        store_url=store.url, origins=ORIGIN, trusted_proxies="127.0.0.1", secret_keys=key
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, in one file and in two."""
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "app.example.crt", folder / "app.example.key"
    ensure_certificate(*files, frozenset({"app.example", "127.0.0.1"}))
    (folder / "app.example.pem").write_bytes(b"".join(file.read_bytes() for file in files))
    return folder / "app.example.pem"


def as_here(text: str, servers: list[CurfewServer], certificate: Path, port: int) -> str:
    """A configuration of the page with the addresses and files of the test."""
    here = {
        "10.0.0.5:8888": f"127.0.0.1:{servers[0].port}",
        "10.0.0.6:8888": f"127.0.0.1:{servers[1].port}",
        "127.0.0.1:8888": f"127.0.0.1:{servers[0].port}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen [::]:443 ssl": f"listen [::1]:{port} ssl",
        "bind :443 ssl": f"bind 127.0.0.1:{port} ssl",
        "bind :::443 v6only ssl": f"bind ::1:{port} v6only ssl",
        "app.example {": OF_CADDY.format(port=port, files=certificate.with_suffix("")),
        "/etc/ssl/": f"{certificate.parent}/",
        "/etc/haproxy/": f"{certificate.parent}/",
    }
    for there, this in here.items():
        text = text.replace(there, this)
    return text


@pytest.fixture(params=["nginx", "haproxy", "caddy", "one nginx", "one caddy"])
def balancer(
    request: pytest.FixtureRequest, servers: list[CurfewServer], certificate: Path
) -> Iterator[int]:
    """The port of a balancer that is set up as a page says."""
    source = ONE_PROXY if request.param == "one nginx" else BALANCERS
    name = request.param.rpartition(" ")[2]
    language = {"caddy": "caddyfile"}.get(name, name)
    # Further ones on the page for one proxy are parts of it.
    written = next(each for each in blocks(source, language) if each.name != PROXY_PROTOCOL)
    port = free_port()
    runs: Balancer = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}[name]
    with runs(as_here(written.text, servers, certificate, port), port):
        yield port


def browser(port: int, certificate: Path) -> httpx.Client:
    """Somebody's browser in front of it."""
    trust = ssl.create_default_context(cafile=certificate)
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": "app.example", "Origin": ORIGIN, "X-Forwarded-For": "6.6.6.6"},
        transport=httpx.HTTPTransport(verify=trust, local_address=CLIENT),
        timeout=20.0,
    )


def signed_in(client: httpx.Client, name: str) -> str:
    """Sign up and in; the cookie."""
    credentials = {"username": name, "password": PASSWORD}
    client.post("/api/signup", json=credentials)
    answer = client.post("/api/login", json=credentials)
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    client.cookies.clear()
    client.headers["Cookie"] = str(cookie)
    return str(cookie)


async def test_a_balancer_as_on_the_page_passes_on_all_that_curfew_needs(
    balancer: int, certificate: Path
) -> None:
    with browser(balancer, certificate) as client:
        cookie = signed_in(client, "ada")
        assert cookie.startswith(COOKIE)
        listed = client.get("/api/sessions")
        assert {each["ip"] for each in listed.json()["sessions"]} == {CLIENT}
        assert listed.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert client.get("/metrics").status_code == 404
        assert client.get("/readyz").status_code == 200
        assert client.post("/api/login", content=b"x" * 500_000).status_code == 413
    async with connect(
        "wss://app.example/ws",
        host="127.0.0.1",
        port=balancer,
        ssl=ssl.create_default_context(cafile=certificate),
        origin=Origin(ORIGIN),
        subprotocols=[Subprotocol("curfew.v1")],
        additional_headers={"Cookie": cookie},
        proxy=None,
    ) as socket:
        assert '"hello"' in str(await socket.recv())


@pytest.mark.parametrize("balancer", ["nginx", "haproxy", "caddy"], indirect=True)
async def test_a_balancer_speaks_http_2_and_holds_large_and_slow_clients_off(
    balancer: int, certificate: Path
) -> None:
    said = await asyncio.to_thread(ask_by_http_2, balancer, certificate)
    assert said == "2 200", "over IPv6, too"
    async with AsyncExitStack() as stack:
        slow = [
            await stack.enter_async_context(half_a_request(balancer, certificate, begun))
            for begun in (b"GET /login HT", b"POST /api/login HTTP/1.1\r\nContent-Le", BODY)
        ]
        with browser(balancer, certificate) as client:
            assert client.get("/login").status_code == 200
            # As large as Curfew takes: it refuses only the kind of it.
            assert client.post("/api/login", content=b"x" * 120_000).status_code == 415
            assert client.post("/api/login", content=b"x" * 3_000_000).status_code == 413
        async with asyncio.timeout(SLOW_SECONDS):
            answers = [await reader.read(4096) for reader in slow]
    # Whichever side gives up first: it closes, or says 408. Caddy ends a body with an empty answer.
    last_lines = {answer.partition(b"\r\n")[0].partition(b" ")[2] for answer in answers}
    assert last_lines <= {b"", b"408 Request Time-out", b"408 Request Timeout",
                          b"400 Bad Request", b"200 OK"}, answers  # fmt: skip
    assert not any(b"Set-Cookie" in answer for answer in answers)


BODY = (
    b"POST /api/login HTTP/1.1\r\nHost: app.example\r\nOrigin: https://app.example\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)


@asynccontextmanager
async def half_a_request(
    port: int, certificate: Path, begun: bytes
) -> AsyncIterator[asyncio.StreamReader]:
    """Send the beginning of a request; yield what reads the answer."""
    trust = ssl.create_default_context(cafile=certificate)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    writer.write(begun)
    await writer.drain()
    yield reader
    writer.close()


def ask_by_http_2(port: int, certificate: Path) -> str:
    """Return the version of HTTP and the status that curl got."""
    where = ["--resolve", f"app.example:{port}:[::1]", f"https://app.example:{port}/readyz"]
    how = ["-sS", "--http2", "--cacert", str(certificate), "-o", "/dev/null"]
    form = "%{http_version} %{http_code}"
    return subprocess.run(
        ["curl", *how, "-w", form, *where], capture_output=True, text=True, check=True, timeout=20
    ).stdout


@pytest.mark.parametrize("balancer", ["nginx", "haproxy", "caddy"], indirect=True)
def test_a_machine_that_is_gone_is_left_out_and_comes_back(
    balancer: int, certificate: Path, servers: list[CurfewServer]
) -> None:
    """HAProxy and Caddy see it at their next probe, and nginx that nobody listens."""
    with browser(balancer, certificate) as client:
        signed_in(client, "bea")

        def all_are_served() -> bool:
            answers = [client.get("/api/session").status_code for _ in range(6)]
            return set(answers) == {200}

        assert all_are_served()
        servers[1].stop()
        try:
            eventually(all_are_served)
        finally:
            servers[1].start()
        eventually(all_are_served)


@pytest.mark.parametrize(
    # tests/chaos restarts machines behind nginx and HAProxy in every run.
    "balancer",
    ["nginx", "haproxy", "caddy"] if ALL else ["caddy"],
    indirect=True,
)
def test_a_machine_that_stops_while_people_ask_loses_no_request(
    balancer: int, certificate: Path, servers: list[CurfewServer]
) -> None:
    with browser(balancer, certificate) as client, ThreadPoolExecutor(3) as threads:
        signed_in(client, "cyd")
        client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf_token"]
        done = threading.Event()

        def ask() -> list[tuple[str, int]]:
            answers = []
            while not done.is_set():
                answers.append(("GET", client.get("/api/session").status_code))
                answers.append(("POST", client.post("/api/session/rotate").status_code))
                time.sleep(0.01)
            return answers

        asking = [threads.submit(ask) for _ in range(3)]
        try:
            assert servers[1].stop() == 0
            servers[1].start()
        finally:
            done.set()
        answers = Counter(answer for each in asking for answer in each.result())
    assert answers.keys() == {("GET", 200), ("POST", 200)}, answers


def test_a_proxy_between_reads_the_proxy_protocol_of_its_balancer(
    servers: list[CurfewServer], certificate: Path
) -> None:
    (written,) = [each for each in blocks(BALANCERS, "nginx") if each.name == PROXY_PROTOCOL]
    port, balancers = free_port(), free_port()
    text = as_here(written.text, servers, certificate, port).replace("10.0.0.2", "127.0.0.1")
    by_tcp = TCP_BALANCER.format(port=balancers, nginx=port)
    with nginx(text, port), haproxy(by_tcp, balancers), browser(balancers, certificate) as client:
        signed_in(client, "dot")
        listed = client.get("/api/sessions").json()["sessions"]
        assert [each["ip"] for each in listed] == [CLIENT]


TCP_BALANCER = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen tcp
    bind 127.0.0.1:{port}
    server nginx 127.0.0.1:{nginx} send-proxy-v2
"""


@pytest.mark.parametrize("file", ["nginx/curfew.conf", "haproxy/haproxy.cfg", "caddy/Caddyfile"])
def test_the_page_quotes_the_file(file: str) -> None:
    name = f"examples/deploy/{file}"
    (quoted,) = [each.text for each in blocks(BALANCERS) if each.name == name]
    assert quoted == (ROOT / name).read_text(encoding="utf-8")
