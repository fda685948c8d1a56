"""What a process stands on: opened for a server, which waits for its store, and for a command."""

import time
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from server.core.errors import StoreNotReached
from server.foundation import open_foundation
from settings import Settings


async def test_a_command_does_not_wait_for_a_store_that_is_not_there(
    configuration: Settings,
) -> None:
    nowhere = replace(configuration, store_url="unix:///nowhere/valkey.sock")
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        with pytest.raises(StoreNotReached):
            await open_foundation(nowhere, stack, for_serving=False)
    assert time.monotonic() - started < nowhere.store_wait.total_seconds() / 2


async def test_the_clock_and_the_id_of_a_node_are_its_own(configuration: Settings) -> None:
    async with AsyncExitStack() as stack:
        first, second = [
            await open_foundation(configuration, stack, for_serving=serves)
            for serves in (True, False)
        ]
        assert first.context.node != second.context.node
        assert abs(first.context.now() - second.context.now()) < 1
        assert first.open_stores(serves=False).accounts is not None
