"""A node's services on the shared Valkey, without HTTP, and people who use them."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import server.services
from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.one_time_codes import step_at
from server.core.session import Device
from server.crypto.passwords import CHEAPEST, PasswordHasher
from server.crypto.totp import totp_codes
from server.services import Services
from server.sessions.verdicts import LiveSession
from settings import load_settings
from tests.support.clients.client import PASSWORD
from tests.support.servers.opened import Opened
from tests.support.servers.valkey import ValkeyServer

HOME = Device("Test/1", "192.0.2.1")


@pytest.fixture
def variables() -> dict[str, str]:
    """Settings of the test, without their prefix; tests parametrise this."""
    return {}


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey for the test alone, which keeps its data when it is killed."""
    with ValkeyServer(appendonly="yes") as own:
        yield own


@pytest.fixture
async def services(
    store_url: str, tmp_path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    """The services of a node; only the cost of a password hash is that of tests."""
    monkeypatch.setattr(server.services, "PasswordHasher", partial(PasswordHasher, CHEAPEST))
    given = {
        "DATA_DIR": str(tmp_path),
        "STORE_URL": store_url,
        "NODE_LEASE": "1m",  # a renewal also reads the store's clock, which `travel` sets
        **variables,
    }
    opened = Opened(load_settings({f"CURFEW_{name}": value for name, value in given.items()}))
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


@pytest.fixture
def visitor() -> Requester:
    """A browser without a session."""
    return Requester(HOME)


@pytest.fixture
async def ada(services: Services) -> Account:
    """An account."""
    made = await services.accounts.create("ada", PASSWORD)
    assert isinstance(made, Account)
    return made


@pytest.fixture
async def person(services: Services, ada: Account, visitor: Requester) -> Person:
    """The account's owner, signed in."""
    return await signed_in(services, ada.user, visitor)


async def signed_in(services: Services, user: str, requester: Requester) -> Person:
    """Return somebody who has signed in by the password."""
    live = await services.sign_in.by_password(user, PASSWORD, requester)
    assert isinstance(live, LiveSession)
    return Person(requester.device, live)


def code_of(secret: str, now: float) -> str:
    """Return what an app shows at a moment."""
    return totp_codes(secret, [step_at(now)])[step_at(now)]
