"""The session manager: what becomes of a request, and what of the session that it belongs to."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.core.errors import DataRefused, StoreUnavailable
from server.core.policy import Refusal
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Rules, Session
from server.core.token import SEED_BYTES, Token, issue_token
from server.sessions.manager import SessionManager
from server.sessions.verdicts import LiveSession, TokenRefused
from server.store.contract import Stored
from tests.support.engine.memory_node import RULES, MemoryNode, new_memory, store_time
from tests.support.engine.virtual_time import on_virtual_time

DEVICE = Device("a browser")


class Managed:
    """Two nodes without sockets on one store, and a session of Ann's."""

    def __init__(self, rules: Rules = RULES) -> None:
        memory = new_memory(rules)
        self.node, self.other = MemoryNode(memory, rules=rules), MemoryNode(memory, name="n2")
        self.sessions: SessionManager = self.node.engine.sessions

    async def arrive(self) -> LiveSession:
        """Sign in; return the session as the next request has it."""
        made = await self.node.sign_in()
        assert made.token is not None
        self.token = made.token
        return await self.live(self.token)

    async def live(self, token: Token) -> LiveSession:
        """Return a session that a token is accepted for."""
        found = await self.sessions.check(token)
        assert isinstance(found, LiveSession)
        return found

    def stored(self, live: LiveSession) -> Session:
        """Return the record in the store."""
        return self.node.memory.records[live.session.sid][0]


@on_virtual_time
async def test_a_request_with_the_current_token_is_served() -> None:
    managed = Managed()
    live = await managed.arrive()
    assert live.session.user == "ann"
    assert (live.presented, live.token) == (1, None)


@on_virtual_time
async def test_a_forged_token_is_refused_and_the_session_lives_on() -> None:
    managed = Managed()
    live = await managed.arrive()
    forged = issue_token(live.session.sid, bytes(SEED_BYTES), 1)
    assert await managed.sessions.check(forged) == TokenRefused(Refusal.FORGED)
    await managed.live(managed.token)


@on_virtual_time
async def test_a_session_past_its_deadline_is_ended() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(RULES.idle_timeout.total_seconds())
    found = await managed.sessions.check(managed.token)
    assert isinstance(found, NoSession)
    assert (found.reason, found.just_ended) == (Reason.IDLE_TIMEOUT, True)
    assert not isinstance(await managed.node.store.load(live.session.sid), Stored)


@on_virtual_time
async def test_a_token_that_was_replaced_long_ago_ends_the_session_as_stolen() -> None:
    managed = Managed()
    live = await managed.arrive()
    rotated = await managed.sessions.rotate(live)
    assert isinstance(rotated, LiveSession)
    assert rotated.token is not None
    await managed.live(rotated.token)
    await asyncio.sleep(RULES.rotation_grace.total_seconds() + 1)
    found = await managed.sessions.check(managed.token)
    assert isinstance(found, NoSession)
    assert found.reason is Reason.TOKEN_REUSE


@on_virtual_time
async def test_a_request_that_is_no_activity_moves_no_deadline() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(60)
    await managed.sessions.check(managed.token, is_activity=False)
    assert managed.stored(live) == live.session
    await managed.sessions.check(managed.token)
    assert managed.stored(live).last_active_at == pytest.approx(store_time(), abs=0.1)


@on_virtual_time
async def test_a_reply_that_cannot_carry_a_cookie_gets_no_new_token() -> None:
    managed = Managed(replace(RULES, rotation_interval=timedelta(seconds=60)))
    await managed.arrive()
    await asyncio.sleep(60)
    unable = await managed.sessions.check(managed.token, may_rotate=False)
    assert isinstance(unable, LiveSession)
    assert unable.token is None
    able = await managed.live(managed.token)
    assert able.token is not None
    assert able.token.generation == 2


@on_virtual_time
async def test_a_store_that_does_not_answer_neither_serves_nor_ends() -> None:
    managed = Managed()
    live = await managed.arrive()
    managed.node.cut()
    with pytest.raises(StoreUnavailable):
        await managed.sessions.check(managed.token)
    assert managed.stored(live) == live.session


@on_virtual_time
async def test_an_open_socket_reads_and_touches_its_session_without_a_token() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(60)
    assert await managed.sessions.current(live.session.sid) == live.session
    touched = await managed.sessions.touch(live.session.sid)
    assert isinstance(touched, Session)
    assert touched.last_active_at > live.session.last_active_at
    await asyncio.sleep(RULES.idle_timeout.total_seconds())
    found = await managed.sessions.current(live.session.sid)
    assert isinstance(found, NoSession)
    assert found.reason is Reason.IDLE_TIMEOUT
    assert await managed.sessions.current("00" + "A" * 22) == NoSession()


@on_virtual_time
async def test_a_request_with_a_previous_token_is_handed_no_new_one() -> None:
    managed = Managed()
    live = await managed.arrive()
    rotated = await managed.sessions.rotate(live)
    assert isinstance(rotated, LiveSession)
    assert rotated.token is not None
    await managed.live(rotated.token)
    again = await managed.sessions.rotate(live)
    assert isinstance(again, LiveSession)
    assert again.token is None


@on_virtual_time
async def test_proving_the_person_replaces_the_token_at_once() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(60)
    elevated = await managed.sessions.elevate(live, two_factors=True)
    assert isinstance(elevated, LiveSession)
    assert elevated.token is not None
    assert elevated.presented == elevated.token.generation == 2
    assert elevated.session.authenticated_at == pytest.approx(store_time(), abs=0.1)
    assert elevated.session.two_factors
    assert await managed.sessions.check(managed.token) == TokenRefused(Refusal.OVERTAKEN)


@on_virtual_time
async def test_an_old_copy_of_the_token_cannot_replace_the_owners() -> None:
    managed = Managed()
    live = await managed.arrive()
    await managed.sessions.elevate(live)
    thief = await managed.sessions.elevate(live)  # accepted before, with the same token
    assert thief == NoSession()
    assert managed.stored(live).generation == 2


@on_virtual_time
async def test_renewing_the_token_proves_nobody() -> None:
    managed = Managed()
    live = await managed.arrive()
    await asyncio.sleep(60)
    renewed = await managed.sessions.renew(live, two_factors=False)
    assert isinstance(renewed, LiveSession)
    assert renewed.token is not None
    assert renewed.session.authenticated_at == live.session.authenticated_at


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
