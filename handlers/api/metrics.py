"""`GET /metrics`: what this process counted, in the format of Prometheus."""

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from handlers.api.health import Probe
from handlers.http.operation import operation
from handlers.http.schemas import TEXT


class MetricsHandler(Probe):
    """`GET /metrics`"""

    @operation(
        "What this process counted, as Prometheus reads it.",
        {"description": "Samples.", "content": {"text/plain": {"schema": TEXT}}},
    )
    def get(self) -> None:
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.finish(generate_latest(self.services.metrics.registry))
