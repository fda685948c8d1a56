"""One scrape tells of all processes, wherever it is asked, also while one of them hangs."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from prometheus_client.core import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tests.support.clients.client import frame
from tests.support.clients.people import People
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

PROCESSES = 4
SOCKETS = 100
PEOPLE = 4


class Scraped:
    """The answer to one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def of(self, name: str, **labels: str) -> list[float]:
        """The values of a metric, one for each node or other label."""
        return [
            each.value
            for each in self.samples
            if each.name == name and labels.items() <= each.labels.items()
        ]

    def one(self, name: str, **labels: str) -> float:
        """The only value."""
        (value,) = self.of(name, **labels)
        return value


class Scraper:
    """Keeps one connection, as Prometheus does."""

    def __init__(self, server: CurfewServer, port: int) -> None:
        self._server = server
        self.own_port = f"http://127.0.0.1:{port}/metrics"
        self.http = httpx.AsyncClient(timeout=10)

    async def scrape(self, url: str = "") -> Scraped:
        """Scrape the port for metrics, or another address."""
        answer = await self.http.get(url or self.own_port)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return Scraped(answer.text)

    async def scrape_a_worker(self) -> Scraped:
        """Scrape where people's requests go."""
        return await self.scrape(f"{self._server.url}/metrics")


PORT = free_port()


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(processes=str(PROCESSES), metrics_port=str(PORT)) as running:
        eventually(lambda: len(workers_of(running)) == PROCESSES)
        yield running


@pytest.fixture
async def scraper(server: CurfewServer) -> AsyncIterator[Scraper]:
    scraper = Scraper(server, PORT)
    await until(lambda: _all_serve(scraper))
    yield scraper
    await scraper.http.aclose()


async def _all_serve(scraper: Scraper) -> bool:
    return (await scraper.scrape()).one("curfew_workers", state="serving") == PROCESSES


@asynccontextmanager
async def open_sockets(people: People, number: int) -> AsyncIterator[None]:
    """So many sockets of a few people."""
    clients = [await people.somebody() for _ in range(PEOPLE)]
    async with AsyncExitStack() as stack:
        for each in range(number):
            socket = await stack.enter_async_context(clients[each % PEOPLE].open_socket())
            await frame(socket, "hello")
        yield


async def test_every_socket_is_in_one_scrape_wherever_it_is_asked(
    scraper: Scraper, people: People
) -> None:
    async with open_sockets(people, SOCKETS):
        for scraped in (await scraper.scrape(), await scraper.scrape_a_worker()):
            assert len(scraped.of("curfew_sockets_open")) == PROCESSES
            assert sum(scraped.of("curfew_sockets_open")) == SOCKETS
            assert scraped.one("curfew_machine_sockets_open") == SOCKETS
            assert scraped.of("curfew_worker_hangs") == [0.0] * PROCESSES
            assert all(each.labels["node"] for each in scraped.samples)


async def test_a_worker_that_hangs_is_named_and_the_others_are_told_of_meanwhile(
    server: CurfewServer, scraper: Scraper, people: People
) -> None:
    async with open_sockets(people, SOCKETS):
        await asyncio.sleep(2.5)  # nobody scrapes; the parent asks by itself every two seconds
        victim = workers_of(server)[0]
        os.kill(victim, signal.SIGSTOP)
        try:
            began = time.monotonic()
            scraped = await scraper.scrape()
            assert time.monotonic() - began < 3
            assert sorted(scraped.of("curfew_worker_hangs")) == [0.0] * (PROCESSES - 1) + [1.0]
            assert scraped.one("curfew_workers", state="hanging") == 1
            assert scraped.one("curfew_machine_sockets_open") == SOCKETS
            assert scraped.one("curfew_machine_lease_held") == 0
            assert sorted(scraped.of("curfew_lease_held")) == [0.0] + [1.0] * (PROCESSES - 1)
        finally:
            os.kill(victim, signal.SIGCONT)
        await until(lambda: _all_serve(scraper))


async def test_a_replaced_worker_is_counted_and_sums_never_decrease(
    server: CurfewServer, scraper: Scraper, people: People
) -> None:
    client = await people.somebody()
    for _ in range(20):
        await client.request("GET", "/api/session")
    before = await scraper.scrape()
    os.kill(victim := workers_of(server)[0], signal.SIGKILL)
    await asyncio.to_thread(eventually, lambda: victim not in workers_of(server))
    await until(lambda: _all_serve(scraper))
    after = await scraper.scrape()
    assert after.one("curfew_worker_restarts_total", why="crash") == (
        before.one("curfew_worker_restarts_total", why="crash") + 1
    )
    for each in before.samples:
        if each.name.startswith("curfew_machine_") and each.name.endswith(("_total", "_count")):
            assert after.one(each.name, **each.labels) >= each.value


async def test_what_was_missing_is_there(
    server: CurfewServer, scraper: Scraper, people: People
) -> None:
    client = await people.somebody()
    scraped = await scraper.scrape()
    assert scraped.one("curfew_machine_store_seconds_count") > 0
    assert scraped.one("curfew_machine_store_errors_total", why="not_master") == 0
    assert len(scraped.of("process_resident_memory_bytes")) == PROCESSES + 1
    assert len(scraped.of("process_cpu_seconds_total")) == PROCESSES + 1
    assert scraped.of("curfew_passwords_waiting") == [0.0] * PROCESSES
    assert scraped.of("curfew_build_info") == [1.0] * PROCESSES
    await _send_nonsense(server)
    assert (await scraper.scrape()).one("curfew_machine_malformed_requests_total") == 1

    async def live(number: float) -> bool:
        return (await scraper.scrape()).one("curfew_machine_live_sessions") == number

    await asyncio.sleep(5.5)
    now = (await scraper.scrape()).one("curfew_machine_live_sessions")
    assert now >= 1
    await client.request("POST", "/api/logout")
    await until(lambda: live(now - 1))


async def _send_nonsense(server: CurfewServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_the_text_keeps_the_rules_of_both_formats(scraper: Scraper, people: People) -> None:
    client = await people.somebody()
    scraped = await scraper.scrape()
    assert client.sid not in scraped.text

    class Again(Collector):
        def collect(self) -> list[Metric]:
            return scraped.families

    registry = CollectorRegistry()
    registry.register(Again())
    text = generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    names = {each.name for each in parse_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert {"curfew_sockets_open", "curfew_worker_restarts", "process_cpu_seconds"} <= names
    for family in scraped.families:
        assert family.documentation.strip(), family.name
        labels = [(each.name, tuple(sorted(each.labels.items()))) for each in family.samples]
        assert len(labels) == len(set(labels)), family.name


async def test_only_metrics_are_on_the_port_for_metrics(scraper: Scraper) -> None:
    root = scraper.own_port.removesuffix("/metrics")
    assert (await scraper.http.get(root)).status_code == 404
    assert (await scraper.http.get(f"{root}/api/session")).status_code == 404
    assert (await scraper.http.post(scraper.own_port)).status_code == 405
    assert (await scraper.http.head(scraper.own_port)).status_code == 200


def test_a_port_that_is_taken_stops_the_start_with_one_line(server: CurfewServer) -> None:  # noqa: ARG001 - it holds the port
    other = CurfewServer(metrics_port=str(PORT))
    ran = other.command()
    assert ran.returncode == os.EX_CONFIG
    assert ran.stderr == (
        f"CURFEW_METRICS_PORT {PORT} on CURFEW_METRICS_ADDRESS 127.0.0.1 cannot be used: "
        "Address already in use.\n"
    )
    other.__exit__(None, None, None)


async def test_one_process_is_told_of_in_the_same_way() -> None:
    with CurfewServer() as single:
        async with httpx.AsyncClient() as http:
            scraped = Scraped((await http.get(f"{single.url}/metrics")).text)
    assert scraped.one("curfew_sockets_open") == scraped.one("curfew_machine_sockets_open") == 0
    assert scraped.one("curfew_workers", state="serving") == 1
    assert len(scraped.of("process_open_fds")) == 2
