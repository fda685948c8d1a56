"""The fences of several shards: each session has its own."""

import asyncio
from datetime import timedelta

import pytest

from server.core.errors import StoreUnavailable
from server.core.token import make_sid
from server.realtime.fence import Fence
from server.realtime.fences import Fences
from server.realtime.hub import Hub
from tests.support.engine.virtual_time import monotonic, on_virtual_time, settle, virtual_loop

LEASE = timedelta(seconds=1)


async def compare() -> None:
    """Find that all is well."""


def several(number: int) -> tuple[Fences, list[Fence]]:
    """Fences that run."""
    each = [Fence(Hub(), compare, LEASE, LEASE, monotonic) for _ in range(number)]
    fences = Fences(each)
    virtual_loop().create_task(fences.run())
    return fences, each


async def prove(fence: Fence) -> None:
    """Give both proofs, of a later moment than any before."""
    await settle()
    fence.note_listed(monotonic())
    fence.note_followed(monotonic())
    await settle()


@on_virtual_time
async def test_a_shard_without_proofs_is_fenced_alone() -> None:
    fences, (first, second) = several(2)
    await settle()
    assert not fences.is_open
    with pytest.raises(StoreUnavailable):
        fences.require()
    await prove(second)
    fences.require()
    assert not fences.follows
    assert fences.of(make_sid(1, bytes(16))).is_open
    assert not fences.of(make_sid(0, bytes(16))).is_open
    await prove(first)
    assert fences.follows
    assert fences.of(make_sid(0, bytes(16))).is_open


@on_virtual_time
async def test_a_node_begins_when_all_shards_are_proved() -> None:
    fences, (first, second) = several(2)
    opened = asyncio.ensure_future(fences.opened())
    await prove(first)
    assert not opened.done()
    await prove(second)
    await asyncio.wait_for(opened, 1)


@on_virtual_time
async def test_the_oldest_proof_is_shown() -> None:
    fences, (first, second) = several(2)
    proved_at = monotonic()
    first.note_listed(proved_at)
    second.note_followed(proved_at)
    await asyncio.sleep(0.5)
    second.note_listed(monotonic())
    first.note_followed(monotonic())
    assert fences.listed_age == pytest.approx(0.5)
    assert fences.followed_age == pytest.approx(0.5)
    assert fences.held == 0
