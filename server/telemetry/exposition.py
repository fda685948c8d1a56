"""Metrics as Prometheus reads them, and what the system says of processes."""

import os
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.telemetry.snapshots import Family, Sample

PARENT = "parent"
"""In the label `node` of the process that starts the others."""


def text_of(families: Iterable[Family]) -> bytes:
    """Return metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Told(families))
    return generate_latest(registry)


def processes_of(nodes: Mapping[int, str]) -> Iterator[Family]:
    """Return the usual `process_…` of this process and of its workers; nothing without /proc.

    Args:
        nodes: the node of each worker, by process id.
    """
    found: dict[str, Family] = {}
    for pid, node in {os.getpid(): PARENT, **nodes}.items():
        for each in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            family = found.setdefault(
                each.name, Family(each.name, each.documentation, each.type, [])
            )
            family.samples.extend(
                Sample(sample.name, {"node": node}, sample.value) for sample in each.samples
            )
    yield from found.values()


class _Told(Collector):
    """Hands over what others have collected."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        for name, documentation, kind, samples in self._families:
            metric = Metric(name, documentation, kind)
            for each in samples:
                metric.add_sample(each.name, each.labels, each.value)
            yield metric
