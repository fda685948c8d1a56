"""The session manager: how data is written, and how sessions begin and are listed."""

import asyncio
from typing import Any

import pytest

from server.core.errors import DataRefused
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Session
from server.sessions.verdicts import LiveSession
from tests.support.engine.managed import Managed
from tests.support.engine.memory_node import RULES
from tests.support.engine.virtual_time import on_virtual_time

DEVICE = Device("a browser")


@on_virtual_time
async def test_data_is_merged_and_none_removes_a_key() -> None:
    managed = Managed()
    live = await managed.arrive()
    await managed.sessions.write(live, {"a": 1, "b": 2})
    await managed.sessions.write(live, {"b": None, "c": 3})  # with a record from before
    assert managed.stored(live).data == {"a": 1, "c": 3}


@on_virtual_time
async def test_writers_of_one_process_and_of_another_lose_nothing() -> None:
    managed = Managed()
    live = await managed.arrive()
    writers = [managed.sessions] * 20 + [managed.other.engine.sessions] * 5
    await asyncio.gather(
        *(each.write(live, {f"k{number}": 1}) for number, each in enumerate(writers))
    )
    assert len(managed.stored(live).data) == 25


@on_virtual_time
async def test_writers_of_one_process_take_turns_so_that_none_is_tried_twice() -> None:
    managed = Managed()
    live = await managed.arrive()
    save, saves = managed.node.store.save, 0

    async def count_save(session: Session, **given: Any) -> Any:
        nonlocal saves
        saves += 1
        return await save(session, **given)

    managed.node.store.save = count_save  # type: ignore[method-assign]
    await managed.sessions.write(live, {"first": 1})
    fresh = await managed.live(managed.token)
    await asyncio.gather(*(managed.sessions.write(fresh, {f"k{n}": 1}) for n in range(5)))
    assert len(managed.stored(live).data) == 6
    assert saves <= 1 + 5 + 4  # each but the first finds once that its own record is old


@on_virtual_time
async def test_data_that_is_not_json_is_refused_and_nothing_is_written() -> None:
    managed = Managed()
    live = await managed.arrive()
    with pytest.raises(DataRefused):
        await managed.sessions.write(live, {"a": float("nan")})
    assert managed.stored(live) == live.session


@on_virtual_time
async def test_nothing_is_written_to_a_session_that_ended_meanwhile() -> None:
    managed = Managed()
    live = await managed.arrive()
    receipt = await managed.node.engine.terminations.one(live.session, Reason.LOGOUT)
    found = await managed.sessions.write(live, {"a": 1})
    assert isinstance(found, NoSession)
    assert (found.reason, found.end_id) == (Reason.LOGOUT, receipt.end_id)


@on_virtual_time
async def test_a_slow_request_that_passes_the_deadline_writes_nothing() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(RULES.idle_timeout.total_seconds())
    found = await managed.sessions.write(live, {"a": 1})
    assert isinstance(found, NoSession)
    assert found.reason is Reason.IDLE_TIMEOUT


@on_virtual_time
async def test_signing_in_ends_the_browsers_former_session() -> None:
    managed = Managed()
    former = await managed.arrive()
    await managed.sessions.write(former, {"secret": "of the former"})
    made = await managed.node.sign_in("ben", former)
    found = await managed.sessions.current(former.session.sid)
    assert isinstance(found, NoSession)
    assert found.reason is Reason.SUPERSEDED
    assert made.session.sid != former.session.sid
    assert made.session.data == {}


@on_virtual_time
async def test_a_visitors_data_moves_to_the_session_as_it_is_now() -> None:
    managed = Managed()
    visitor = await managed.sessions.begin_anonymous(DEVICE, {"cart": 1})
    assert isinstance(visitor, LiveSession)
    await managed.sessions.write(visitor, {"cart": 2})
    made = await managed.node.sign_in("ann", visitor)
    assert made.session.data == {"cart": 2}
    assert isinstance(await managed.sessions.current(visitor.session.sid), NoSession)


@on_virtual_time
async def test_a_visitor_has_a_session_without_a_user() -> None:
    managed = Managed()
    visitor = await managed.sessions.begin_anonymous(DEVICE, {"cart": 1})
    assert isinstance(visitor, LiveSession)
    assert (visitor.session.user, visitor.session.authenticated_at) == (None, None)
    with pytest.raises(DataRefused):
        await managed.sessions.begin_anonymous(DEVICE, {"cart": float("inf")})
    assert len(managed.node.memory.records) == 1


@on_virtual_time
async def test_a_users_sessions_are_listed_with_the_latest_used_first() -> None:
    managed = Managed()
    lives = []
    for _ in range(3):
        lives.append(await managed.arrive())
        await asyncio.sleep(60)
    await managed.sessions.touch(lives[1].session.sid)
    listed = await managed.sessions.sessions_of("ann")
    order = [each.session.sid for each in listed]
    assert order == [lives[each].session.sid for each in (1, 2, 0)]
    assert await managed.sessions.users() == ["ann"]


@on_virtual_time
async def test_sessions_of_an_account_without_second_factor_are_proved_by_one() -> None:
    managed = Managed()
    live = await managed.arrive()
    elevated = await managed.sessions.elevate(live, two_factors=True)
    assert isinstance(elevated, LiveSession)
    await managed.sessions.count_by_one_factor("ann")
    assert not managed.stored(live).two_factors
    assert elevated.token is not None
    await managed.live(elevated.token)  # its token stays as it is
