"""The choice among a browser's tokens, on the records in the store."""

import asyncio

from server.core.reasons import NoSession, Reason
from server.core.session import Device, Session
from server.core.token import Token
from server.sessions.choosing import Choice
from server.sessions.verdicts import LiveSession
from tests.support.engine.managed import Managed
from tests.support.engine.virtual_time import on_virtual_time


async def two(managed: Managed) -> tuple[LiveSession, Token, LiveSession, Token]:
    """Two sign-ins, one after the other, that know nothing of each other."""
    old = await managed.arrive()
    old_token = managed.token
    await asyncio.sleep(1)
    new = await managed.arrive()
    return old, old_token, new, managed.token


@on_virtual_time
async def test_the_newer_sign_in_replaces_the_older_one() -> None:
    managed = Managed()
    old, old_token, new, new_token = await two(managed)
    for tokens in ([old_token, new_token], [new_token, old_token]):
        choice = await managed.sessions.choose(tokens)
        assert (choice.token, choice.ended) == (new_token, frozenset())
        assert [each.sid for each in choice.others] == [old.session.sid]
    await managed.sessions.replace(choice.others, by=new)
    found = await managed.sessions.check(old_token)
    assert isinstance(found, NoSession)
    assert found.reason is Reason.SUPERSEDED
    await managed.live(new_token)


@on_virtual_time
async def test_a_superseded_token_is_passed_over() -> None:
    managed = Managed()
    old, old_token, _, new_token = await two(managed)
    await managed.node.engine.terminations.one(old.session, Reason.SUPERSEDED)
    assert await managed.sessions.choose([old_token, new_token]) == Choice(
        new_token, (), frozenset({old.session.sid})
    )


@on_virtual_time
async def test_if_all_are_over_the_one_counts_that_says_why() -> None:
    managed = Managed()
    old, old_token, new, new_token = await two(managed)
    for session, reason in ((old, Reason.SUPERSEDED), (new, Reason.ADMIN)):
        await managed.node.engine.terminations.one(session.session, reason)
    for tokens in ([old_token, new_token], [new_token, old_token]):
        assert (await managed.sessions.choose(tokens)).token == new_token


@on_virtual_time
async def test_an_overtaken_token_is_not_explained_by_the_end_of_another_session() -> None:
    managed = Managed()
    old, old_token, new, new_token = await two(managed)
    await managed.node.engine.terminations.one(new.session, Reason.LOGOUT)
    await managed.sessions.elevate(old)
    assert (await managed.sessions.choose([old_token, new_token])).token == old_token


@on_virtual_time
async def test_a_visitors_data_moves_and_overwrites_nothing() -> None:
    managed = Managed()
    live = await managed.arrive()
    found = await managed.sessions.write(live, {"a": 1})
    assert isinstance(found, LiveSession)
    visitor = await managed.sessions.begin_anonymous(Device(), {"a": 2, "b": 3})
    assert isinstance(visitor, LiveSession)
    await managed.sessions.replace([visitor.session], by=found)
    assert managed.stored(live).data == {"a": 1, "b": 3}
    assert isinstance(await managed.sessions.current(visitor.session.sid), NoSession)


@on_virtual_time
async def test_data_that_does_not_fit_in_stays_out() -> None:
    managed = Managed()
    live = await managed.arrive()
    found = await managed.sessions.write(live, {"a": "x" * 40_000})
    assert isinstance(found, LiveSession)
    visitor = await managed.sessions.begin_anonymous(Device(), {"b": "x" * 40_000})
    assert isinstance(visitor, LiveSession)
    kept = await managed.sessions.replace([visitor.session], by=found)
    assert kept.session.data == found.session.data
    assert isinstance(await managed.sessions.current(live.session.sid), Session)
