"""What a node counts of its surroundings."""

import asyncio
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from server import VERSION
from server.core.counts import FAILURES
from server.crypto.hash_threads import HasherBusy, HashThreads
from server.telemetry.families import Families
from server.telemetry.set_up_metrics import SetUpMetrics

NODE = "node-1"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> SetUpMetrics:
    return SetUpMetrics(Families(NODE, registry))


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """Return a sample of this node, if there is one."""
    return registry.get_sample_value(name, {"node": NODE} | labels)


def test_failures_of_the_store_are_there_from_zero(
    registry: CollectorRegistry, metrics: SetUpMetrics
) -> None:
    assert {sample(registry, "curfew_store_errors_total", why=why) for why in FAILURES} == {0}
    metrics.store_counts.failed("timeout")
    metrics.store_counts.answered(0.002)
    assert sample(registry, "curfew_store_errors_total", why="timeout") == 1
    assert sample(registry, "curfew_store_seconds_count") == 1


def test_without_a_certificate_nothing_expires(
    registry: CollectorRegistry, metrics: SetUpMetrics
) -> None:
    name = "curfew_tls_expiry_timestamp_seconds"
    metrics.certificate_loaded(None)
    assert sample(registry, name) is None
    metrics.certificate_loaded(datetime(2030, 1, 1, tzinfo=UTC))
    assert sample(registry, name) == 1893456000


async def test_passwords_that_wait_are_seen_and_those_without_a_place_counted(
    registry: CollectorRegistry, metrics: SetUpMetrics
) -> None:
    threads, go = HashThreads(1, 1, 9), asyncio.Event()
    metrics.watch_passwords(threads)
    loop = asyncio.get_running_loop()

    def hash_slowly() -> None:
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()

    hashing = [asyncio.create_task(threads.run(hash_slowly)) for _ in range(2)]
    await asyncio.sleep(0)
    assert sample(registry, "curfew_passwords_hashing") == 1
    assert sample(registry, "curfew_passwords_waiting") == 1
    with pytest.raises(HasherBusy):
        await threads.run(hash_slowly)
    assert sample(registry, "curfew_passwords_refused_total") == 1
    go.set()
    await asyncio.gather(*hashing)
    assert sample(registry, "curfew_passwords_hashing") == 0
    threads.close()


def test_the_build_is_told_with_the_version_of_the_project(
    registry: CollectorRegistry, metrics: SetUpMetrics
) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
    labels = [
        each.labels
        for family in registry.collect()
        for each in family.samples
        if each.name == "curfew_build_info"
    ]
    assert [each["version"] for each in labels] == [VERSION]
    metrics.live_sessions(3)
    metrics.malformed(431)
    assert sample(registry, "curfew_live_sessions") == 3
    assert sample(registry, "curfew_malformed_requests_total", status="431") == 1
