"""Snapshots of what a process counts, as bytes that another process reads."""

import asyncio
import json
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

Labels = dict[str, str]


class Sample(NamedTuple):
    """One number."""

    name: str
    labels: Labels
    value: float


class Family(NamedTuple):
    """A metric with all its samples. `kind` is Prometheus' word for its type."""

    name: str
    documentation: str
    kind: str
    samples: list[Sample]


async def take_snapshot(registry: CollectorRegistry) -> bytes:
    """Return all samples of a registry. After each metric, others have their turn."""
    families = []
    for each in registry.collect():
        samples = [(sample.name, sample.labels, sample.value) for sample in each.samples]
        families.append((each.name, each.documentation, each.type, samples))
        await asyncio.sleep(0)
    return json.dumps(families, separators=(",", ":")).encode()


def read_snapshot(data: bytes) -> list[Family]:
    """Return the samples of a snapshot."""
    return [
        Family(name, documentation, kind, [Sample(*each) for each in samples])
        for name, documentation, kind, samples in _parse(data)
    ]


def _parse(data: bytes) -> Any:
    return json.loads(data)  # NaN and Infinity are numbers here, as in Prometheus
