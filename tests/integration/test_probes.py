"""The probes of balancers and orchestrators: any method, any host, and a true answer."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clients.raw_http import Answer, exchange
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.balancers import haproxy
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

METHODS = ("GET", "HEAD", "OPTIONS")
HOSTS = [b"10.0.0.5", b"10.0.0.5:8888", b"[fd00::5]:8888", b"curfew_one", b"evil.example"]
CHECKS = {
    "by default": "option httpchk",
    "options 1.1": "option httpchk\n    http-check send meth OPTIONS uri / ver HTTP/1.1 hdr Host a",
    "head": "option httpchk HEAD /readyz",
    "get": "option httpchk GET /readyz",
    "get 1.1": "option httpchk\n    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host a",
    "options readyz": "option httpchk OPTIONS /readyz",
}
CONFIGURATION = """
global
    stats socket {folder}/stats level admin
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    default-server inter 200ms rise 1 fall 1
frontend all
    bind 127.0.0.1:{port}
"""


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """A store that can be stopped."""
    with ValkeyServer() as running:
        yield running


@pytest.fixture(scope="module")
def server(valkey: ValkeyServer) -> Iterator[CurfewServer]:
    """Runs on it."""
    with CurfewServer(store_url=valkey.url, node_lease="2s") as running:
        yield running


@contextmanager
def stopped(valkey: ValkeyServer) -> Iterator[None]:
    """The store answers nobody."""
    valkey.freeze()
    try:
        yield
    finally:
        valkey.thaw()


def ask(server: CurfewServer, method: str, path: str, lines: bytes, version: str) -> Answer:
    """Send a probe."""
    first = f"{method} {path} HTTP/{version}\r\n".encode()
    return exchange(server.port, first + lines + b"\r\n")


PROBES = [
    *((method, path) for method in METHODS for path in ("/healthz", "/readyz", "/metrics")),
    ("OPTIONS", "/"),
]


@pytest.mark.parametrize(("method", "path"), PROBES)
def test_a_probe_is_answered_whatever_host_it_names(
    server: CurfewServer, method: str, path: str
) -> None:
    for host in HOSTS:
        for version in ("1.0", "1.1"):
            answer = ask(server, method, path, b"Host: " + host + b"\r\n", version)
            assert answer.status in {200, 204}, host
    assert ask(server, method, path, b"", "1.0").status in {200, 204}, "HTTP/1.0 needs no host"
    assert ask(server, method, path, b"Host:\r\n", "1.0").status in {200, 204}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/"])
def test_what_an_address_takes_is_told(server: CurfewServer, path: str) -> None:
    allowed = re.search(rb"\r\nAllow: ([^\r]+)", ask(server, "OPTIONS", path, b"", "1.0").raw)
    assert allowed is not None
    assert {b"GET", b"HEAD", b"OPTIONS"} == set(allowed[1].split(b", "))
    refused = ask(server, "DELETE", path, b"Host: 127.0.0.1:%d\r\n" % server.port, "1.1")
    assert refused.status == 405
    assert allowed[0] in refused.raw


def test_the_start_page_itself_is_for_its_own_hosts_only(server: CurfewServer) -> None:
    for method in ("GET", "HEAD", "POST"):
        assert ask(server, method, "/", b"Host: 10.0.0.5\r\n", "1.1").status == 421


def test_who_is_not_ready_says_so_to_every_probe(
    server: CurfewServer, valkey: ValkeyServer
) -> None:
    ready = [("GET", "/readyz"), ("HEAD", "/readyz"), ("OPTIONS", "/readyz"), ("OPTIONS", "/")]
    with stopped(valkey):
        for method, path in ready:
            eventually(lambda: ask(server, method, path, b"", "1.0").status == 503)  # noqa: B023
        assert ask(server, "GET", "/healthz", b"", "1.0").status == 200
    for method, path in ready:
        eventually(lambda: ask(server, method, path, b"", "1.0").status in {200, 204})  # noqa: B023


def states(socket_path: Path) -> dict[str, str]:
    """Whether HAProxy finds each server up."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(socket_path))
        asking.sendall(b"show stat json\n")
        text = asking.makefile().read()
    found = {}
    for row in json.loads(text):
        fields = {each["field"]["name"]: each["value"]["value"] for each in row}
        if fields["svname"] == "one" and fields.get("check_status"):
            found[fields["pxname"]] = fields["status"]
    return found


def test_haproxy_finds_out_by_every_usual_check(
    server: CurfewServer, valkey: ValkeyServer, tmp_path: Path
) -> None:
    port = free_port()
    configuration = CONFIGURATION.format(folder=tmp_path, port=port) + "".join(
        f"backend {name.replace(' ', '-')}\n    {check}\n"
        f"    server one 127.0.0.1:{server.port} check\n"
        for name, check in CHECKS.items()
    )

    def all_are(state: str) -> bool:
        found = states(tmp_path / "stats")
        return len(found) == len(CHECKS) and set(found.values()) == {state}

    with haproxy(configuration, port):
        eventually(lambda: all_are("UP"))
        with stopped(valkey):
            eventually(lambda: all_are("DOWN"))
        eventually(lambda: all_are("UP"))
