"""What the store's replies prove of a write, and what they do not."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from server.core.errors import StoreUnavailable
from server.core.receipt import Durability
from server.store import acl
from server.store.durability import durability_now, judge

NOT_KEPT = ResponseError("WAITAOF cannot be used when numlocal is set but appendonly is disabled.")


def at(rounds: int) -> bytes:
    """Return what `INFO stats` says after so many rounds of the event loop."""
    return b"# Stats\r\neventloop_cycles:%d\r\neventloop_duration_sum:1\r\n" % rounds


@pytest.mark.parametrize(
    ("before", "synced", "after", "known"),
    [
        (at(7), [1, 0], at(8), Durability.FSYNC),
        (at(7), [1, 0], at(9), None),  # Valkey says 1 after a round without writes
        (at(7), [1, 0], at(7), None),  # nothing was written on this connection
        (at(7), [0, 0], at(8), Durability.MEMORY),
        (at(7), NOT_KEPT, at(8), Durability.MEMORY),
        (at(7), NoPermissionError(), at(8), Durability.UNKNOWN),
        (at(7), ResponseError("unknown command 'WAITAOF'"), at(8), Durability.UNKNOWN),
        (NoPermissionError(), [1, 0], NoPermissionError(), Durability.UNKNOWN),
        (b"# Stats\r\n", [1, 0], b"# Stats\r\n", Durability.UNKNOWN),
    ],
)
def test_only_an_answer_in_the_next_round_proves_a_sync(
    before: object, synced: object, after: object, known: Durability | None
) -> None:
    assert judge(before, synced, after) is known


async def test_a_store_in_memory_promises_nothing_and_keeps_no_probe(
    client: Redis, raw: redis.Redis
) -> None:
    assert await durability_now(client) is Durability.MEMORY
    assert raw.dbsize() == 0


@pytest.fixture
def without_right(raw: Any) -> Iterator[None]:
    """Curfew's user may not ask what is on the disk."""
    raw.execute_command("ACL", "SETUSER", acl.USER, "-waitaof")
    yield
    raw.execute_command("ACL", "SETUSER", acl.USER, "+waitaof")


@pytest.mark.usefixtures("without_right")
async def test_of_a_store_that_does_not_tell_nothing_is_known(client: Redis) -> None:
    assert await durability_now(client) is Durability.UNKNOWN


async def test_a_store_that_is_gone_is_not_taken_for_one_that_does_not_tell(gone: Redis) -> None:
    with pytest.raises(StoreUnavailable):
        await durability_now(gone)
