"""An application on the test's own loop: its clock stays ahead, nothing is half started."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from curfew import Application, ConfigurationError, Node
from curfew.testing import InProcess
from server.core.errors import StoreNotReached
from tests.support.running.processes import processes_of


@asynccontextmanager
async def failing(_: Node) -> AsyncIterator[None]:
    """Refuse to start."""
    raise ConfigurationError("The database is away.")
    yield


async def test_the_clock_stays_ahead_and_sessions_end(store_url: str) -> None:
    served = InProcess(Application("x"), variables={"CURFEW_STORE_URL": store_url})
    async with served, served.client() as ada, served.client() as bob:
        await ada.sign_up("ada")
        await bob.sign_up("bob")
        assert await served.end_session(ada.sid)
        assert not await served.end_session(ada.sid)
        assert (await ada.request("GET", "/api/session")).json()["reason"] == "admin"
        before = served.node.now()
        served.travel(timedelta(minutes=31))
        await served.node.services.engine.lease.look()
        assert served.node.now() - before > 30 * 60
        assert (await bob.request("GET", "/api/session")).json()["reason"] == "idle_timeout"


async def test_after_a_start_that_fails_nothing_keeps_running() -> None:
    served = InProcess(Application("x", lifespan=failing))
    folder = Path(served._folder.name)
    with pytest.raises(ConfigurationError, match="The database is away"):
        await served.open()
    assert processes_of(folder) == []
    assert not await asyncio.to_thread(folder.exists)


async def test_services_that_cannot_be_opened_say_why() -> None:
    wrong = {"CURFEW_STORE_URL": "redis://127.0.0.1:1/0", "CURFEW_STORE_WAIT": "1ms"}
    with pytest.raises(StoreNotReached, match=r"127\.0\.0\.1:1 could not be used"):
        await InProcess(Application("x"), variables=wrong).open()
