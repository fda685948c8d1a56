"""Makes the metrics of one node: each has the label `node`, and none more labels than it names."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Families:
    """Makes counters, gauges and histograms.

    Args:
        node: this node's id, a label of every sample.
        registry: holds them.
    """

    def __init__(self, node: str, registry: CollectorRegistry) -> None:
        self.node = node
        self.registry = registry

    def counter(self, name: str, documentation: str, *labels: str) -> Counter:
        """Return a new counter."""
        return Counter(name, documentation, ("node", *labels), registry=self.registry)

    def histogram(
        self, name: str, documentation: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        """Return a new histogram, with the upper limits of its buckets."""
        labelnames = ("node", *labels)
        return Histogram(name, documentation, labelnames, buckets=buckets, registry=self.registry)

    def gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        """Return a new gauge."""
        return Gauge(name, documentation, ("node", *labels), registry=self.registry)

    def computed(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Add a gauge without further labels that is computed at scrape time."""
        self.gauge(name, documentation).labels(self.node).set_function(read)
