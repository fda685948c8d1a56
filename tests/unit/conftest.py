"""A node's services on the shared Valkey, without a server, for the unit tests that need them."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

import server.services
from server.core.audit import AuditEvent
from server.crypto.passwords import CHEAPEST, PasswordHasher
from server.services import Services
from settings import Settings, load_settings
from tests.support.running.ports import free_port
from tests.support.servers.opened import Opened


@pytest.fixture
def variables() -> dict[str, str]:
    """Settings of the test, without their prefix; tests parametrise this."""
    return {}


@pytest.fixture
def configuration(store_url: str, tmp_path: Path, variables: dict[str, str]) -> Settings:
    """The settings of the node."""
    given = {
        "DATA_DIR": str(tmp_path),
        "STORE_URL": store_url,
        "PORT": str(free_port()),
        "NODE_LEASE": "1m",  # a renewal also reads the store's clock, which `travel` sets
        **variables,
    }
    return load_settings({f"CURFEW_{name}": value for name, value in given.items()})


@pytest.fixture
async def services(
    configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    """The services of a node; only the cost of a password hash is that of tests."""
    monkeypatch.setattr(server.services, "PasswordHasher", partial(PasswordHasher, CHEAPEST))
    opened = Opened(configuration)
    yield await opened.open()
    await opened.close()


@pytest.fixture
def travel(services: Services) -> Callable[[float], None]:
    """Sets the clock forward by some seconds."""

    def forward(seconds: float) -> None:
        services.clock.learn(services.clock.now() + seconds, asked_at=time.monotonic())

    return forward


@pytest.fixture
def recorded(caplog: pytest.LogCaptureFixture) -> Callable[[], Counter[AuditEvent]]:
    """Tells how often each event was written to the audit trail."""
    caplog.set_level("INFO", "curfew.audit")
    return lambda: Counter(
        AuditEvent(each.getMessage()) for each in caplog.records if each.name == "curfew.audit"
    )
