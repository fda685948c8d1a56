"""The session manager: what becomes of a request, and what of its token."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from server.core.errors import StoreUnavailable
from server.core.policy import Refusal
from server.core.reasons import NoSession, Reason
from server.core.session import Device, Session
from server.core.token import SEED_BYTES, issue_token
from server.sessions.verdicts import LiveSession, TokenRefused
from server.store.contract import Stored
from tests.support.engine.managed import Managed
from tests.support.engine.memory_node import RULES, store_time
from tests.support.engine.virtual_time import on_virtual_time

DEVICE = Device("a browser")


async def arrived_and_rotated(managed: Managed) -> LiveSession:
    """A session whose first token was replaced, as the request with that token knows it."""
    live = await managed.arrive()
    rotated = await managed.sessions.rotate(live)
    assert isinstance(rotated, LiveSession)
    assert rotated.token is not None
    await managed.live(rotated.token)
    return live


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
    await arrived_and_rotated(managed)
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
    live = await arrived_and_rotated(managed)
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
