"""Verdicts: judged by the record as it is when it is written, ended once, recorded once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.core import policy
from server.core.audit import AuditEvent
from server.core.errors import VisitorsFull, WriteConflict
from server.core.events import SessionExtended, TokenRotated
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import Session, warning_time
from server.sessions.verdicts import MAX_TRIES, LiveSession, TokenRefused
from server.store.contract import Conflict, Missing, NoRoom, Stored, Unreadable
from tests.support.engine.judging import Judging, accept, add, end
from tests.support.engine.memory_node import RULES, store_time
from tests.support.engine.observing import Observing
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_an_accepted_session_that_did_not_change_is_not_written() -> None:
    judging = Judging()
    live = await judging.arrive()
    assert await judging.apply(accept) == LiveSession(live.stored)
    assert judging.node.memory.records[judging.sid][1] == 1


@on_virtual_time
async def test_a_record_under_an_older_key_is_written_again() -> None:
    judging = Judging()
    live = await judging.arrive()
    judging.answer_load_with(replace(live.stored, stale_key=True))
    found = await judging.apply(accept)
    assert isinstance(found, LiveSession)
    assert found.stored == Stored(live.session, 2)


@on_virtual_time
async def test_a_change_is_written_and_answered_with_its_revision() -> None:
    judging = Judging()
    await judging.arrive()
    found = await judging.apply(add("a"))
    assert isinstance(found, LiveSession)
    assert found.stored.revision == 2
    assert found.session == judging.stored()
    assert judging.stored().data == {"a": True}


@on_virtual_time
async def test_of_two_writers_the_later_judges_the_record_of_the_first_again() -> None:
    judging = Judging()
    await judging.arrive()
    await asyncio.gather(judging.apply(add("a")), judging.apply(add("b")))
    assert judging.stored().data == {"a": True, "b": True}
    assert len(judging.judged) == 3


@on_virtual_time
async def test_a_writer_who_always_loses_gives_up() -> None:
    judging = Judging()
    await judging.arrive()

    async def lose(*_: Any, **__: Any) -> Conflict:
        return Conflict()

    judging.node.store.save = lose  # type: ignore[method-assign]
    with pytest.raises(WriteConflict):
        await judging.apply(add("a"))
    assert len(judging.judged) == MAX_TRIES


@on_virtual_time
async def test_a_known_record_saves_a_load_when_it_leads_to_a_write() -> None:
    judging = Judging()
    live = await judging.arrive()
    judging.answer_load_with(Missing())
    assert isinstance(await judging.apply(add("a"), live.stored), LiveSession)


@on_virtual_time
async def test_a_known_record_that_another_writer_overtook_is_loaded_again() -> None:
    judging = Judging()
    live = await judging.arrive()
    await judging.apply(add("a"))
    await judging.apply(add("b"), live.stored)
    assert judging.stored().data == {"a": True, "b": True}


@on_virtual_time
async def test_a_known_record_ends_nothing_that_lives_on_in_the_store() -> None:
    judging = Judging()
    live = await judging.arrive()
    old = replace(live.stored, session=replace(live.session, last_active_at=0.0))

    def end_if_old(session: Session) -> Verdict:
        return Accept(session) if session.last_active_at else End(Reason.IDLE_TIMEOUT)

    assert await judging.apply(end_if_old, old) == LiveSession(live.stored)
    assert len(judging.judged) == 2


@on_virtual_time
async def test_a_known_record_hands_out_no_token_of_its_own() -> None:
    judging = Judging()
    live = await judging.arrive()
    assert live.token is not None
    await judging.apply(lambda session: Accept(session, token=live.token), live.stored)
    assert len(judging.judged) == 2


@on_virtual_time
async def test_a_refusal_leaves_the_session_as_it_is() -> None:
    judging = Judging()
    await judging.arrive()
    found = await judging.apply(lambda _: Refuse(Refusal.FORGED))
    assert found == TokenRefused(Refusal.FORGED)
    assert judging.published() == []


@on_virtual_time
async def test_an_end_is_counted_and_recorded_once_with_the_sessions_own_device() -> None:
    judging = Judging()
    await judging.arrive()
    first = await judging.apply(end)
    assert isinstance(first, NoSession)
    assert first.just_ended
    again = await judging.apply(end)
    assert isinstance(again, NoSession)
    assert (again.reason, again.end_id) == (first.reason, first.end_id)
    assert not again.just_ended
    assert judging.node.recorded.of("ended") == [(Reason.IDLE_TIMEOUT,)]
    [(event, facts)] = judging.node.recorded.events
    assert event is AuditEvent.SESSION_ENDED
    assert (facts["user"], facts["sid"]) == ("ann", judging.sid)
    assert (facts["device"], facts["reason"]) == ("a browser", "idle_timeout")
    assert facts["end"] == first.end_id


@on_virtual_time
async def test_of_two_ends_at_once_both_hear_of_the_first_and_one_is_counted() -> None:
    judging = Judging()
    await judging.arrive()
    found = await asyncio.gather(judging.apply(end), judging.apply(end))
    assert len({each.end_id for each in found if isinstance(each, NoSession)}) == 1
    assert len(judging.node.recorded.of("ended")) == 1
    assert len(judging.node.recorded.events) == 1


@on_virtual_time
async def test_an_end_of_a_session_that_is_gone_is_neither_counted_nor_recorded() -> None:
    judging = Judging()
    live = await judging.arrive()
    judging.node.memory.records.clear()
    await judging.verdicts.end(live.session, Reason.IDLE_TIMEOUT)
    assert judging.node.recorded.of("ended") == []
    assert judging.node.recorded.events == []


@on_virtual_time
async def test_a_reused_token_is_recorded_apart_from_the_end_that_it_caused() -> None:
    judging = Judging()
    await judging.arrive()
    await judging.apply(lambda _: End(Reason.TOKEN_REUSE))
    events = [event for event, _ in judging.node.recorded.events]
    assert events == [AuditEvent.TOKEN_REUSE, AuditEvent.SESSION_ENDED]


@on_virtual_time
async def test_a_session_that_nobody_knows_has_no_reason() -> None:
    judging = Judging()
    await judging.arrive()
    judging.answer_load_with(Missing())
    assert await judging.apply(accept) == NoSession()
    assert judging.node.recorded.events == []


@on_virtual_time
async def test_a_record_that_does_not_open_is_recorded_and_no_session() -> None:
    judging = Judging()
    await judging.arrive()
    judging.answer_load_with(Unreadable())
    assert await judging.apply(accept) == NoSession()
    [(event, facts)] = judging.node.recorded.events
    assert event is AuditEvent.DECRYPT_FAIL
    assert facts == {"sid": judging.sid, "what": "session"}


@on_virtual_time
async def test_an_end_between_load_and_save_is_answered() -> None:
    judging = Judging()
    live = await judging.arrive()
    receipt = await judging.node.engine.terminations.one(live.session, Reason.ADMIN)
    found = await judging.apply(add("a"), live.stored)
    assert isinstance(found, NoSession)
    assert (found.reason, found.end_id) == (Reason.ADMIN, receipt.end_id)


@on_virtual_time
async def test_a_token_handed_out_for_the_first_time_is_published_and_recorded() -> None:
    judging = Judging()
    await judging.arrive()
    found = await judging.apply(lambda session: policy.rotate(session, store_time(), RULES))
    assert isinstance(found, LiveSession)
    assert found.token is not None
    assert judging.published() == [TokenRotated(judging.sid, 2)]
    [(event, facts)] = judging.node.recorded.events
    assert (event, facts["generation"]) == (AuditEvent.SESSION_RENEWED, 2)


@on_virtual_time
async def test_who_observes_is_told_of_a_new_token_and_of_no_other_change() -> None:
    judging = Judging()
    await judging.arrive()
    observing = judging.verdicts.observer = Observing()
    await judging.apply(add("a"))
    assert observing.told == []
    await judging.apply(lambda session: policy.rotate(session, store_time(), RULES))
    assert observing.told == [("rotated", judging.sid)]


@on_virtual_time
async def test_a_visitor_who_keeps_as_much_as_there_is_room_for_is_told_how_long_to_wait() -> None:
    judging = Judging()
    await judging.arrive()

    async def save(*_: Any, **__: Any) -> NoRoom:
        return NoRoom(timedelta(seconds=7))

    judging.node.store.save = save  # type: ignore[method-assign, assignment]
    with pytest.raises(VisitorsFull) as refused:
        await judging.apply(add("a"))
    assert refused.value.wait == timedelta(seconds=7)


@pytest.mark.parametrize(("seconds", "published"), [(-1, False), (1, True)])
def test_activity_is_published_once_sockets_were_warned(seconds: int, published: bool) -> None:  # noqa: FBT001 - a case
    @on_virtual_time
    async def scenario() -> None:
        judging = Judging()
        await judging.arrive()
        warned_after = RULES.idle_timeout - warning_time(RULES)
        await asyncio.sleep(warned_after.total_seconds() + seconds)
        await judging.apply(lambda session: policy.touch(session, store_time(), RULES))
        assert judging.published() == [SessionExtended(judging.sid)] * published

    scenario()
