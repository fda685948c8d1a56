"""One process of an application: what its lifespan, its tasks, its handlers and commands get."""

from functools import cached_property
from typing import Any

from prometheus_client import Counter

from handlers.http.tasks import Tasks
from server.services import Services
from server.telemetry.families import Families
from settings import Settings


class Node:
    """This process.

    Args:
        services: the session engine.
        configuration: Curfew's settings.
        settings: the application's own; None if it has none.
        serves: whether this process serves. A command does not.

    Attributes:
        services: the same.
        configuration: the same.
        settings: the same.
        serves: the same.
        state: what the lifespan yielded.
        tasks: runs what goes on beside requests.
        metrics: makes counters, gauges and histograms, which `/metrics` shows. Their first label
            is `node`, this node's id.
    """

    def __init__(
        self, services: Services, configuration: Settings, settings: Any = None, *, serves: bool
    ) -> None:
        self.services = services
        self.configuration = configuration
        self.settings = settings
        self.serves = serves
        self.state: Any = None
        self.metrics = Families(services.metrics.node, services.metrics.registry)
        self.tasks = Tasks(self._count_failure)

    @property
    def id(self) -> str:
        """The id of this node, a label of its metrics."""
        return self.services.metrics.node

    def now(self) -> float:
        """Return Unix seconds on the store's clock."""
        return self.services.clock.now()

    @cached_property
    def _failures(self) -> Counter:  # made with the first one: most servers have no tasks
        return self.metrics.counter(
            "curfew_application_task_failures", "Tasks of the application that failed.", "task"
        )

    def _count_failure(self, task: str) -> None:
        self._failures.labels(self.id, task).inc()
