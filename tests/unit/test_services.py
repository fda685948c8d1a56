"""The composition root: errors keep their names, and a node leaves nothing behind it."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.core.errors import ConfigurationError, StoreNotReached, StoreUnavailable
from server.core.reasons import Reason
from server.core.receipt import State
from server.services import open_services
from settings import Settings, load_settings
from tests.support.servers.opened import Opened
from tests.support.servers.valkey import ValkeyServer


def settings_for(data_dir: Path, store_url: str, **variables: str) -> Settings:
    """Return the settings of a node on this store."""
    given = {"DATA_DIR": str(data_dir), "STORE_URL": store_url, **variables}
    return load_settings({f"CURFEW_{name}": value for name, value in given.items()})


async def test_a_store_that_is_not_there_ends_the_start_with_one_error(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, f"unix://{tmp_path}/nothing.sock", STORE_WAIT="1ms")
    with pytest.raises(StoreUnavailable):
        async with open_services(settings):
            pass


async def test_who_is_cancelled_while_a_failure_is_put_away_is_told_so(
    tmp_path: Path, store_url: str
) -> None:
    async def fail() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(open_services(settings_for(tmp_path, store_url)))
            task = asyncio.current_task()
            assert task is not None
            stack.callback(task.cancel)
            raise ConfigurationError("The application did not start.")

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(fail())


@pytest.mark.parametrize("prepares", [False, True])
async def test_only_for_serving_a_store_is_waited_for(
    tmp_path: Path,
    prepares: bool,  # noqa: FBT001 a case
) -> None:
    settings = settings_for(tmp_path, f"unix://{tmp_path}/nothing.sock", STORE_WAIT="600ms")
    started = time.monotonic()
    with pytest.raises(StoreNotReached):
        async with open_services(settings, serves=False, prepares=prepares):
            pass
    assert (time.monotonic() - started > 0.6) is prepares


async def test_a_store_that_throws_sessions_away_ends_the_start_with_one_error(
    tmp_path: Path, store_url: str, valkey: ValkeyServer
) -> None:
    with valkey.client() as owner:
        owner.config_set("maxmemory-policy", "allkeys-lru")
        owner.config_set("maxmemory", "1gb")
        try:
            for serves, prepares in ((True, False), (False, True)):
                with pytest.raises(ConfigurationError):
                    async with open_services(
                        settings_for(tmp_path, store_url), serves=serves, prepares=prepares
                    ):
                        pass
            async with open_services(settings_for(tmp_path, store_url), serves=False) as services:
                (receipt,) = await services.terminations.everything(Reason.ADMIN)
            assert receipt.state is State.COMPLETE
        finally:
            owner.config_set("maxmemory", "0")
            owner.config_set("maxmemory-policy", "noeviction")


async def test_a_node_is_listed_and_may_serve_before_its_services_are_handed_out(
    tmp_path: Path, store_url: str
) -> None:
    node = Opened(settings_for(tmp_path, store_url))
    services = await node.open()
    assert services.engine.fence.is_open
    assert len(await services.nodes.leases()) == 1
    await node.close()


async def test_a_node_that_closed_is_not_waited_for_by_the_others(
    tmp_path: Path, store_url: str
) -> None:
    settings = settings_for(tmp_path, store_url)
    staying, leaving = Opened(settings), Opened(settings)
    services = await staying.open()
    await leaving.open()
    assert len(await services.nodes.leases()) == 2
    await leaving.close()
    assert len(await services.nodes.leases()) == 1
    await staying.close()


async def test_a_command_reads_what_a_node_wrote_and_is_not_listed(
    tmp_path: Path, store_url: str
) -> None:
    settings = settings_for(tmp_path, store_url)
    async with open_services(settings, serves=False) as services:
        assert not services.engine.fence.is_open
        assert await services.nodes.leases() == {}


async def test_an_error_within_keeps_its_name(tmp_path: Path, store_url: str) -> None:
    with pytest.raises(LookupError, match="ours"):
        async with open_services(settings_for(tmp_path, store_url)):
            raise LookupError("ours")
