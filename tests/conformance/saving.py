"""Saving: one revision after another, and never after the end."""
# ruff: noqa: D102 - a test is named by a sentence

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from server.core.events import Event, SessionExtended, TokenRotated
from server.core.reasons import Reason
from server.store.contract import Conflict, Missing, Saved, Stored, Tombstone
from tests.conformance.subjects import RULES, Subject, created, listed, new_id

Death = Callable[[Subject, Stored], Awaitable[object]]


def logged_out(subject: Subject, stored: Stored) -> Awaitable[object]:
    """Ended alone."""
    return subject.store.end_session(
        stored.session.sid, user="ann", end_id="e", reason=Reason.LOGOUT, initiator="n1"
    )


def all_ended(subject: Subject, _: Stored) -> Awaitable[object]:
    """Ended with all of the user's."""
    return subject.store.end_user(
        "ann", keep=None, end_id="e", reason=Reason.TERMINATED, initiator="n1"
    )


def everything_ended(subject: Subject, stored: Stored) -> Awaitable[object]:
    """Ended with everybody's."""
    shard = int(stored.session.sid[:2])
    return subject.store.end_shard(shard, end_id="e", reason=Reason.ADMIN, initiator="n1")


async def everything_ended_and_swept(subject: Subject, stored: Stored) -> None:
    """Ended with everybody's, and its room given back."""
    await everything_ended(subject, stored)
    assert await subject.store.sweep_shard(int(stored.session.sid[:2])) == 1


async def evicted(subject: Subject, _: Stored) -> None:
    """Ended by younger ones."""
    for _sign_in in range(RULES.max_sessions_per_user):
        await created(subject)


async def flushed(subject: Subject, _: Stored) -> None:
    """Lost with all data."""
    subject.flush()


DEATHS = [logged_out, all_ended, everything_ended, everything_ended_and_swept, evicted, flushed]


class SavingContract:
    """What saving promises."""

    async def test_a_save_is_the_next_revision(self, subject: Subject) -> None:
        stored = await created(subject)
        changed = replace(stored.session, data={"a": 1}, last_active_at=subject.now())
        saved = await subject.store.save(changed, based_on=1, operation=new_id())
        assert saved == Saved(2)
        assert await subject.store.load(changed.sid) == Stored(changed, 2)

    async def test_a_save_on_an_older_revision_changes_nothing(self, subject: Subject) -> None:
        stored = await created(subject)
        newer = replace(stored.session, data={"a": 1})
        await subject.store.save(newer, based_on=1, operation=new_id())
        late = await subject.store.save(
            stored.session, based_on=1, operation=new_id(), event=TokenRotated(newer.sid, 9)
        )
        assert late == Conflict()
        assert await subject.store.load(newer.sid) == Stored(newer, 2)
        assert TokenRotated(newer.sid, 9) not in subject.events()

    async def test_of_parallel_saves_on_one_revision_one_wins(self, subject: Subject) -> None:
        stored = await created(subject)
        saves = await asyncio.gather(
            *(
                subject.store.save(
                    replace(stored.session, data={"by": number}), based_on=1, operation=new_id()
                )
                for number in range(40)
            )
        )
        assert saves.count(Saved(2)) == 1
        assert saves.count(Conflict()) == 39
        winner = replace(stored.session, data={"by": saves.index(Saved(2))})
        assert await subject.store.load(winner.sid) == Stored(winner, 2)

    async def test_an_event_is_told_with_the_save(self, subject: Subject) -> None:
        stored = await created(subject)
        sid = stored.session.sid
        events: list[Event] = [TokenRotated(sid, 2), SessionExtended(sid)]
        for based_on, event in enumerate(events, start=1):
            await subject.store.save(
                stored.session, based_on=based_on, operation=new_id(), event=event
            )
            assert subject.events()[-1] == event

    async def test_a_save_whose_reply_was_lost_is_not_done_twice(self, subject: Subject) -> None:
        stored = await created(subject)
        changed, operation = replace(stored.session, data={"a": 1}), new_id()
        event = TokenRotated(changed.sid, 2)
        for _ in range(3):
            saved = await subject.store.save(changed, based_on=1, operation=operation, event=event)
            assert saved == Saved(2)
        assert await subject.store.load(changed.sid) == Stored(changed, 2)
        assert subject.events().count(event) == 1

    async def test_a_save_that_comes_again_after_a_newer_one_changes_nothing(
        self, subject: Subject
    ) -> None:
        stored = await created(subject)
        first, operation = replace(stored.session, data={"a": 1}), new_id()
        second = replace(stored.session, data={"a": 2})
        await subject.store.save(first, based_on=1, operation=operation)
        await subject.store.save(second, based_on=2, operation=new_id())
        again = await subject.store.save(first, based_on=1, operation=operation)
        assert again == Conflict()
        assert await subject.store.load(second.sid) == Stored(second, 3)

    async def test_a_visitors_session_is_saved_too_and_stands_on_no_list(
        self, subject: Subject
    ) -> None:
        stored = await created(subject, None)
        saved = await subject.store.save(stored.session, based_on=1, operation=new_id())
        assert saved == Saved(2)
        assert list(await subject.store.users()) == []

    @pytest.mark.parametrize("death", DEATHS)
    async def test_no_save_brings_a_session_back(self, subject: Subject, death: Death) -> None:
        stored = await created(subject, last_active_at=subject.now() - 60)
        await subject.store.save(stored.session, based_on=1, operation="before")
        await death(subject, stored)
        before, live = subject.events(), await listed(subject)
        dead = await subject.store.load(stored.session.sid)
        assert isinstance(dead, Missing if death is flushed else Tombstone)

        late = replace(stored.session, last_active_at=subject.now())
        event = TokenRotated(late.sid, 2)
        for based_on, operation in ((2, new_id()), (1, "before"), (0, new_id())):
            saved = await subject.store.save(
                late, based_on=based_on, operation=operation, event=event
            )
            assert saved == dead
        assert await subject.store.load(late.sid) == dead
        assert await listed(subject) == live
        assert late.sid not in live
        assert subject.events() == before
