"""New sessions: always with an id of their own, and none behind an end of all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable, VisitorsFull
from server.core.reasons import Reason
from server.core.session import Device, Rules
from server.core.token import is_genuine
from server.sessions.creation import SessionCreation, SignInInterrupted
from server.sessions.verdicts import LiveSession
from server.store.contract import Epochs, NoRoom, Stored
from tests.support.engine.memory_node import MemoryNode, new_memory
from tests.support.engine.observing import Observing
from tests.support.engine.virtual_time import on_virtual_time

DEVICE = Device("a browser", "192.0.2.7")


class Creating:
    """A node's creation of sessions."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.node = MemoryNode(new_memory(rules or Rules()), rules=rules or Rules())
        self.creation = SessionCreation(self.node.store, self.node.context)

    async def create(
        self, user: str | None = "ann", epochs: Epochs | None = None
    ) -> LiveSession | SignInInterrupted:
        """Create a session."""
        epochs = epochs or await self.node.store.epochs(0, user)
        session = self.creation.new_session(0, epochs, DEVICE, {"a": 1})
        return await self.creation.write(replace(session, user=user), epochs)

    def events(self) -> list[AuditEvent]:
        """Return what was recorded."""
        return [event for event, _ in self.node.recorded.events]


@on_virtual_time
async def test_a_new_session_is_live_and_comes_with_its_first_token() -> None:
    creating = Creating()
    live = await creating.create()
    assert isinstance(live, LiveSession)
    session = live.session
    assert (session.user, session.device, session.data) == ("ann", DEVICE, {"a": 1})
    assert (session.generation, live.presented) == (1, 1)
    assert live.token is not None
    assert is_genuine(live.token, session.seed)
    assert isinstance(await creating.node.store.load(session.sid), Stored)


@on_virtual_time
async def test_two_sessions_share_neither_id_nor_seed() -> None:
    creating = Creating()
    one, two = await creating.create(), await creating.create()
    assert isinstance(one, LiveSession)
    assert isinstance(two, LiveSession)
    assert one.session.sid != two.session.sid
    assert one.session.seed != two.session.seed


@on_virtual_time
async def test_a_session_lies_in_the_shard_that_its_id_names() -> None:
    creating = Creating()
    session = creating.creation.new_session(7, Epochs(""), DEVICE, {})
    assert session.sid.startswith("07")


@on_virtual_time
async def test_an_end_of_all_of_the_users_sessions_meanwhile_leaves_none() -> None:
    creating = Creating()
    epochs = await creating.node.store.epochs(0, "ann")
    await creating.node.engine.terminations.all_of("ann", Reason.ADMIN)
    creating.node.recorded.events.clear()
    assert await creating.create(epochs=epochs) == SignInInterrupted()
    assert creating.node.memory.records == {}
    assert creating.events() == []


@on_virtual_time
async def test_an_end_of_everything_meanwhile_leaves_no_visitors_session_either() -> None:
    creating = Creating()
    epochs = await creating.node.store.epochs(0, None)
    await creating.node.engine.terminations.everything(Reason.ADMIN)
    assert await creating.create(None, epochs) == SignInInterrupted()


@on_virtual_time
async def test_the_session_that_was_used_longest_ago_makes_room_and_is_recorded() -> None:
    creating = Creating(Rules(max_sessions_per_user=2))
    first = await creating.create()
    await creating.create()
    creating.node.recorded.events.clear()
    third = await creating.create()
    assert isinstance(first, LiveSession)
    assert isinstance(third, LiveSession)
    assert not isinstance(await creating.node.store.load(first.session.sid), Stored)
    assert creating.events() == [AuditEvent.SESSION_CREATED, AuditEvent.SESSION_ENDED]
    (_, created), (_, ended) = creating.node.recorded.events
    assert created["sid"] == third.session.sid
    assert (ended["sid"], ended["reason"]) == (first.session.sid, "session_limit")
    assert creating.node.recorded.of("ended") == [(Reason.SESSION_LIMIT,)]


@on_virtual_time
async def test_a_visitors_session_is_not_in_the_audit_trail() -> None:
    creating = Creating()
    assert isinstance(await creating.create(None), LiveSession)
    assert creating.events() == []


@on_virtual_time
async def test_a_new_sessions_times_are_equal_and_short() -> None:
    session = Creating().creation.new_session(0, Epochs("", ""), DEVICE, {})
    assert session.created_at == session.last_active_at == session.current_since
    assert round(session.created_at, 3) == session.created_at


@on_virtual_time
async def test_who_observes_is_told_before_a_session_is_written_and_after_it() -> None:
    creating = Creating()
    observing = creating.creation.observer = Observing()
    live = await creating.create()
    assert isinstance(live, LiveSession)
    sid = live.session.sid
    assert observing.told == [("about to begin", sid), ("begun", sid)]


@on_virtual_time
async def test_who_observes_is_told_of_a_session_that_was_not_written() -> None:
    creating = Creating()
    observing = creating.creation.observer = Observing()
    epochs = await creating.node.store.epochs(0, "ann")
    await creating.node.engine.terminations.all_of("ann", Reason.ADMIN)
    assert await creating.create(epochs=epochs) == SignInInterrupted()
    assert [what for what, _ in observing.told] == ["about to begin", "not begun"]


@on_virtual_time
async def test_a_session_that_could_not_be_noted_is_not_written() -> None:
    creating = Creating()
    creating.creation.observer = Observing(fails=True)
    with pytest.raises(StoreUnavailable):
        await creating.create()
    assert creating.node.memory.records == {}


@on_virtual_time
async def test_a_visitor_for_whom_there_is_no_room_is_told_how_long_to_wait() -> None:
    creating = Creating()

    async def create(*_: Any, **__: Any) -> NoRoom:
        return NoRoom(timedelta(seconds=7))

    creating.node.store.create = create  # type: ignore[method-assign, assignment]
    with pytest.raises(VisitorsFull) as refused:
        await creating.create(None)
    assert refused.value.wait == timedelta(seconds=7)
