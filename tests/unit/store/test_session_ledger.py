"""The ledger of sessions: noted until their ends are told, claimed by one node at a time."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from server.core.token import make_sid
from server.store import session_ledger
from server.store.connection import open_client
from server.store.session_ledger import EndedSession, SessionLedger

ADA = EndedSession(make_sid(0, b"a" * 16), "ada")
VISITOR = EndedSession(make_sid(0, b"v" * 16), None)


@pytest.fixture
async def client(store_url: str) -> AsyncIterator[Redis]:
    """With the rights that Curfew has."""
    async with aclosing(open_client(store_url)) as client:
        yield client


async def test_what_is_noted_is_due_at_its_moment_until_it_is_forgotten(client: Redis) -> None:
    ledger = SessionLedger(client, 1, "one")
    await ledger.note(ADA, look_at=100.0)
    await ledger.note(VISITOR, look_at=200.0)
    assert await ledger.due(0, 99.0) == []
    assert await ledger.due(0, 150.0) == [ADA]
    assert await ledger.due(0, 1e11) == [ADA, VISITOR]
    assert await ledger.due(0, 1e11, 1) == [VISITOR]
    await ledger.note(ADA, look_at=300.0)
    assert await ledger.due(0, 250.0) == [VISITOR]
    await ledger.forget(ADA)
    assert await ledger.due(0, 1e11) == [VISITOR]


async def test_one_node_has_the_claim_and_another_one_when_it_is_over(client: Redis) -> None:
    one, two = SessionLedger(client, 1, "one"), SessionLedger(client, 1, "two")
    await one.note(ADA, look_at=100.0)
    assert await one.claim(ADA, retry_at=160.0)
    assert not await two.claim(ADA, retry_at=160.0)
    assert await two.due(0, 150.0) == []
    assert await two.due(0, 160.0) == [ADA]
    await client.delete("curfew:{00}:used:end " + ADA.sid)  # as its expiry does
    assert await two.claim(ADA, retry_at=220.0)
    await two.forget(ADA)
    await client.delete("curfew:{00}:used:end " + ADA.sid)
    assert not await one.claim(ADA, retry_at=220.0), "it was told"
    assert session_ledger.CLAIM.total_seconds() > 30
