"""One process as an application has it: its id, its clock, its metrics, its failures."""

import pytest
from prometheus_client import generate_latest

from handlers.http.node import Node
from server.services import Services
from settings import Settings
from tests.support.running.waiting import until


async def test_it_is_the_node_that_metrics_name_and_has_the_stores_clock(
    services: Services, configuration: Settings
) -> None:
    node = Node(services, configuration, serves=False)
    assert node.id == services.metrics.node
    assert abs(node.now() - services.clock.now()) < 5


async def test_a_task_that_fails_is_counted_under_its_name(
    services: Services, configuration: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    node = Node(services, configuration, serves=False)
    node.tasks.start(fail(), "mail")
    counted = f'curfew_application_task_failures_total{{node="{node.id}",task="mail"}} 1.0'

    async def is_counted() -> bool:
        return counted in generate_latest(services.metrics.registry).decode()

    await until(is_counted)
    assert "mail" in caplog.text
