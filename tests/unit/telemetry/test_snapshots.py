"""A snapshot says everything that a registry does."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.telemetry.snapshots import Family, Sample, read_snapshot, take_snapshot


async def test_what_was_taken_is_what_is_read() -> None:
    registry = CollectorRegistry()
    Counter("some_total", "Some.", ("node",), registry=registry).labels("a").inc(3)
    Histogram("took_seconds", "Took.", ("node",), registry=registry).labels("a").observe(0.1)
    Gauge("age", "Age.", ("node",), registry=registry).labels("a").set(math.inf)
    found = read_snapshot(await take_snapshot(registry))
    assert found == [
        Family(
            each.name,
            each.documentation,
            each.type,
            [Sample(*sample[:3]) for sample in each.samples],
        )
        for each in registry.collect()
    ]
