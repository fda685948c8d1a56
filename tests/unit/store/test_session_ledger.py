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


async def due(ledger: SessionLedger, moment: float) -> list[EndedSession]:
    """All pages in one."""
    return [each async for page in ledger.due(0, moment) for each in page]


async def test_what_is_noted_is_due_at_its_moment_until_it_is_forgotten(client: Redis) -> None:
    ledger = SessionLedger(client, 1, "one")
    await ledger.note(ADA, look_at=100.0)
    await ledger.note(VISITOR, look_at=200.0)
    assert await due(ledger, 99.0) == []
    assert await due(ledger, 150.0) == [ADA]
    assert await due(ledger, 1e11) == [ADA, VISITOR]
    await ledger.note(ADA, look_at=300.0)
    assert await due(ledger, 250.0) == [VISITOR]
    await ledger.forget(ADA)
    assert await due(ledger, 1e11) == [VISITOR]


@pytest.mark.parametrize("apart", [0.0, 0.001, 1.0])
@pytest.mark.parametrize("act", ["forget", "move", "leave"])
async def test_none_is_left_out_because_others_are_told_of_meanwhile(
    client: Redis, act: str, apart: float
) -> None:
    ledger = SessionLedger(client, 1, "one")
    noted = [EndedSession(make_sid(0, f"{number:016}".encode()), "ada") for number in range(350)]
    for number, each in enumerate(noted):
        await ledger.note(each, look_at=100.0 + apart * number)
    seen = list[EndedSession]()
    async for page in ledger.due(0, 1e11):
        assert len(page) <= session_ledger.PAGE
        seen += page
        for each in page if len(seen) <= len(noted) else ():
            if act == "forget":
                await ledger.forget(each)
            elif act == "move":
                await ledger.note(each, look_at=9_999.0)
    assert set(seen) == set(noted)
    assert len(seen) <= len(noted) * (2 if act == "move" else 1)


async def test_one_node_has_the_claim_and_another_one_when_it_is_over(client: Redis) -> None:
    one, two = SessionLedger(client, 1, "one"), SessionLedger(client, 1, "two")
    await one.note(ADA, look_at=100.0)
    assert await one.claim(ADA, retry_at=160.0)
    assert not await two.claim(ADA, retry_at=160.0)
    assert await due(two, 150.0) == []
    assert await due(two, 160.0) == [ADA]
    await client.delete("curfew:{00}:used:end " + ADA.sid)  # as its expiry does
    assert await two.claim(ADA, retry_at=220.0)
    await two.forget(ADA)
    await client.delete("curfew:{00}:used:end " + ADA.sid)
    assert not await one.claim(ADA, retry_at=220.0), "it was told"
    assert session_ledger.CLAIM.total_seconds() > 30
