"""`GET /metrics`: what happened is counted where it happened, and nobody is named."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from server.telemetry.metrics import Metrics
from tests.support.clients.client import Client, frame
from tests.support.secrets.contents import key_like
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import Store

PATIENCE_SECONDS = 20.0

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture(scope="module")
def server(valkey: Store) -> Iterator[CurfewServer]:
    valkey.flush()
    with CurfewServer(
        store_url=valkey.url, max_sessions_per_user="2", sweep_interval="200ms"
    ) as running:
        yield running


@pytest.fixture
async def scrape(server: CurfewServer) -> AsyncIterator["Scrape"]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        yield await Scrape(http).begin()


class Scrape:
    """The samples of the server, and by how much they grew since this test began."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self._before: dict[Sample, float] = {}

    async def begin(self) -> "Scrape":
        """Take the present numbers as zero."""
        self._before = await self.samples()
        return self

    async def text(self) -> str:
        """The answer as it is."""
        answer = await self.http.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.text

    async def samples(self) -> dict[Sample, float]:
        """All samples; the node is left away after making sure that it is named."""
        found = {}
        for family in text_string_to_metric_families(await self.text()):
            for sample in family.samples:
                labels = dict(sample.labels)
                assert labels.pop("node"), sample
                found[sample.name, frozenset(labels.items())] = sample.value
        return found

    async def grew(self, name: str, **labels: str) -> float:
        """How much a sample grew; it counts as 0 where it is missing."""
        sample = name, frozenset(labels.items())
        return (await self.samples()).get(sample, 0.0) - self._before.get(sample, 0.0)

    async def sees(self, expected: float, name: str, **labels: str) -> None:
        """Wait until a sample has grown by this much."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if await self.grew(name, **labels) == expected:
                    return
                await asyncio.sleep(0.02)


async def test_a_logout_is_seen_in_sockets_closes_and_terminations(
    server: CurfewServer, scrape: Scrape
) -> None:
    async with Client(server.url) as ada:
        await ada.sign_up("metrics-ada")
        async with ada.open_socket() as first, ada.open_socket() as second:
            await frame(first, "hello")
            await frame(second, "hello")
            assert await scrape.grew("curfew_sockets_open") == 2
            assert await scrape.grew("curfew_sessions_with_sockets") == 1
            await ada.request("POST", "/api/logout")
            await first.wait_closed()
            await second.wait_closed()
        await scrape.sees(2, "curfew_socket_closes_total", code="4401", reason="logout")
        assert await scrape.grew("curfew_sockets_open") == 0
        assert await scrape.grew("curfew_sessions_with_sockets") == 0
        assert (
            await scrape.grew("curfew_terminations_total", reason="logout", state="complete") == 1
        )
        assert await scrape.grew("curfew_termination_seconds_count") == 1
        assert 0 < await scrape.grew("curfew_termination_seconds_sum") < PATIENCE_SECONDS


async def test_ends_that_nobody_waits_for_are_counted_too(
    server: CurfewServer, scrape: Scrape
) -> None:
    async with Client(server.url) as one, Client(server.url) as two, Client(server.url) as three:
        await one.sign_up("metrics-bob")
        await two.sign_in("metrics-bob")
        await three.sign_in("metrics-bob")
        ended = await one.request("GET", "/api/session")
        assert ended.json()["reason"] == "session_limit"
    unawaited = {"reason": "session_limit", "state": "unawaited"}
    assert await scrape.grew("curfew_terminations_total", **unawaited) == 1


async def test_a_reused_token_is_counted() -> None:
    with CurfewServer(rotation_grace="50ms") as hasty:
        async with Client(hasty.url) as ada, httpx.AsyncClient(base_url=hasty.url) as http:
            await ada.sign_up("metrics-eve")
            stolen = ada.cookie
            await ada.request("POST", "/api/session/rotate")
            await ada.request("GET", "/api/session")
            scrape = await Scrape(http).begin()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await ada.request("GET", "/api/session")).status_code == 200:
                    async with Client(hasty.url) as other:
                        other.cookie = stolen
                        await other.request("GET", "/api/session")
            unawaited = {"reason": "token_reuse", "state": "unawaited"}
            assert await scrape.grew("curfew_terminations_total", **unawaited) == 1


async def test_sockets_that_their_client_closes_or_loses_are_told_apart(
    server: CurfewServer, scrape: Scrape
) -> None:
    async with Client(server.url) as ada:
        await ada.sign_up("metrics-cyd")
        async with ada.open_socket() as leaving:
            await frame(leaving, "hello")
        async with ada.open_socket() as odd:
            await frame(odd, "hello")
            await odd.close(4999, "any word of the client's")
        async with ada.open_socket() as lost:
            await frame(lost, "hello")
            lost.transport.abort()
        await scrape.sees(1, "curfew_socket_closes_total", code="1000", reason="client")
        await scrape.sees(1, "curfew_socket_closes_total", code="other", reason="client")
        await scrape.sees(1, "curfew_socket_closes_total", code="1006", reason="lost")


async def test_a_session_that_vanished_without_a_word_is_counted_by_the_sweep(
    server: CurfewServer, scrape: Scrape, valkey: Store
) -> None:
    async with Client(server.url) as ada:
        await ada.sign_up("metrics-dan")
        async with ada.open_socket() as socket:
            await frame(socket, "hello")
            with valkey.client() as store:
                assert store.delete(key_like(store, f"session:{ada.sid}")) == 1
            assert (await frame(socket, "ended"))["reason"] == "unauthenticated"
    await scrape.sees(1, "curfew_sweep_closed_total")


async def test_answers_are_counted_by_handler_method_and_status(scrape: Scrape) -> None:
    await scrape.http.get("/api/session")
    await scrape.http.get("/api/session")
    await scrape.http.request("BREW", "/login")
    seen = {"handler": "SessionResource", "method": "GET", "status": "401"}
    assert await scrape.grew("curfew_http_requests_total", **seen) == 2
    assert await scrape.grew("curfew_http_request_seconds_count", handler="SessionResource") == 2
    strange = {"handler": "LoginPage", "method": "other", "status": "405"}
    assert await scrape.grew("curfew_http_requests_total", **strange) == 1


async def test_this_node_says_that_it_may_serve(scrape: Scrape) -> None:
    samples = await scrape.samples()
    assert samples["curfew_lease_held", frozenset()] == 1
    assert samples["curfew_follower_connected", frozenset()] == 1


async def test_nobody_is_named_and_any_host_name_will_do(
    server: CurfewServer, scrape: Scrape
) -> None:
    async with Client(server.url) as ada:
        await ada.sign_up("metrics-zoe")
        async with ada.open_socket() as socket:
            await frame(socket, "hello")
            text = await scrape.text()
            assert "metrics-zoe" not in text
            assert ada.sid not in text
            assert ada.cookie not in text
    answer = await scrape.http.get("/metrics", headers={"Host": "prometheus.internal:9"})
    assert answer.status_code == 200


def test_the_global_registry_stays_unused_and_two_nodes_do_not_meet() -> None:
    one, two = Metrics("one", CollectorRegistry()), Metrics("two", CollectorRegistry())
    one.answered("Some", "GET", 200, 0.1)
    labels = {"handler": "Some", "method": "GET", "status": "200"}
    counted = one.registry.get_sample_value("curfew_http_requests_total", {"node": "one"} | labels)
    assert counted == 1
    other = two.registry.get_sample_value("curfew_http_requests_total", {"node": "two"} | labels)
    assert other is None
    assert "curfew" not in json.dumps([family.name for family in REGISTRY.collect()])
