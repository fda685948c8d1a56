"""`GET /metrics`: what all processes of this machine counted, in the format of Prometheus."""

from typing import Final

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from handlers.api.health import Probe
from handlers.http.operation import operation
from handlers.http.schemas import TEXT

ONE_PROCESS: Final = b"# Only the process that answered: its parent did not tell of all.\n"


class MetricsHandler(Probe):
    """`GET /metrics`

    The parent collects the samples. If it does not tell, this process tells of itself, and says so.
    """

    @operation(
        "What the processes of this machine counted, as Prometheus reads it.",
        {"description": "Samples.", "content": {"text/plain": {"schema": TEXT}}},
    )
    async def get(self) -> None:
        ask = self.application.metrics_of_all
        text = None if ask is None else await ask()
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.finish(text or ONE_PROCESS + generate_latest(self.services.metrics.registry))
