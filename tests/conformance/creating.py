"""Creating and loading: limits, epochs, and what a lost reply leaves."""
# ruff: noqa: D102 - a test is named by a sentence

import asyncio

import pytest

from server.core.events import SessionsChanged
from server.core.reasons import Reason
from server.store.contract import Created, EpochChanged, Missing, Stored, Tombstone
from tests.conformance.subjects import (
    RULES,
    Subject,
    created,
    ends,
    listed,
    new_id,
    new_session,
)


class CreatingContract:
    """What creating and loading promise."""

    async def test_what_was_created_is_loaded_in_every_field(self, subject: Subject) -> None:
        for user in ("ann", None):
            stored = await created(subject, user)
            assert await subject.store.load(stored.session.sid) == Stored(stored.session, 1)

    async def test_of_an_unknown_session_nothing_is_known(self, subject: Subject) -> None:
        assert await subject.store.load(new_session(subject).sid) == Missing()

    async def test_many_are_loaded_at_once_each_its_own(self, subject: Subject) -> None:
        subject.limit(1000)
        stored = [await created(subject) for _ in range(30)]
        await subject.store.end_session(
            stored[7].session.sid, user="ann", end_id="e", reason=Reason.LOGOUT, initiator="n1"
        )
        sids = [each.session.sid for each in stored]
        found = await asyncio.gather(*(subject.store.load(sid) for sid in [*sids, *sids[::-1]]))
        assert isinstance(found[7], Tombstone)
        stored[7], found[7], found[-8] = None, None, None  # type: ignore[call-overload]
        assert found == [*stored, *stored[::-1]]

    async def test_a_creation_whose_reply_was_lost_is_not_done_twice(
        self, subject: Subject
    ) -> None:
        others = [await created(subject) for _ in range(RULES.max_sessions_per_user)]
        session, operation = new_session(subject), new_id()
        before = len(subject.events())
        for attempt in range(3):
            made = await subject.store.create(
                session, operation=operation, user_epoch="", initiator="n1"
            )
            assert isinstance(made, Created)
            assert made.stored == Stored(session, 1)
            assert len(made.evicted) == (1 if attempt == 0 else 0)
        assert len(subject.events()) == before + 2
        assert subject.events().count(SessionsChanged("ann")) == len(others) + 1
        assert len(await listed(subject)) == RULES.max_sessions_per_user

    async def test_an_id_that_exists_is_never_taken_over(self, subject: Subject) -> None:
        stored = await created(subject)
        made = await subject.store.create(
            new_session(subject, "ann", sid=stored.session.sid),
            operation=new_id(),
            user_epoch="",
            initiator="n1",
        )
        assert not isinstance(made, Created)
        assert await subject.store.load(stored.session.sid) == stored

    async def test_a_creation_that_comes_again_after_the_end_revives_nothing(
        self, subject: Subject
    ) -> None:
        session, operation = new_session(subject), new_id()
        await subject.store.create(session, operation=operation, user_epoch="", initiator="n1")
        await subject.store.end_session(
            session.sid, user="ann", end_id="e", reason=Reason.ADMIN, initiator="n1"
        )
        again = await subject.store.create(
            session, operation=operation, user_epoch="", initiator="n1"
        )
        assert isinstance(again, Tombstone)
        assert (again.end_id, again.reason) == ("e", Reason.ADMIN)
        assert isinstance(await subject.store.load(session.sid), Tombstone)
        assert await listed(subject) == set()

    @pytest.mark.parametrize("keep", [None, "another"])
    async def test_an_end_of_all_beats_a_creation_under_way(
        self, subject: Subject, keep: str | None
    ) -> None:
        epochs = await subject.store.epochs(subject.store.shard_of("ann"), "ann")
        await subject.store.end_user(
            "ann", keep=keep, end_id="e", reason=Reason.TERMINATED, initiator="n1"
        )
        session = new_session(subject, epoch=epochs.shard)
        made = await subject.store.create(
            session, operation=new_id(), user_epoch=epochs.user, initiator="n1"
        )
        assert made == EpochChanged()
        assert await subject.store.load(session.sid) == Missing()
        assert await listed(subject) == set()
        await created(subject)

    async def test_an_end_of_all_of_somebody_else_does_not(self, subject: Subject) -> None:
        epochs = await subject.store.epochs(subject.store.shard_of("ann"), "ann")
        await subject.store.end_user(
            "bob", keep=None, end_id="e", reason=Reason.TERMINATED, initiator="n1"
        )
        session = new_session(subject, epoch=epochs.shard)
        made = await subject.store.create(
            session, operation=new_id(), user_epoch=epochs.user, initiator="n1"
        )
        assert isinstance(made, Created)

    @pytest.mark.parametrize("user", ["ann", None])
    async def test_an_end_of_everything_beats_a_creation_under_way(
        self, subject: Subject, user: str | None
    ) -> None:
        shard = subject.store.shard_of(user) if user else 0
        epochs = await subject.store.epochs(shard, user)
        await subject.store.end_shard(shard, end_id="e", reason=Reason.ADMIN, initiator="n1")
        session = new_session(subject, user, epoch=epochs.shard)
        made = await subject.store.create(
            session, operation=new_id(), user_epoch=epochs.user, initiator="n1"
        )
        assert made == EpochChanged()
        assert await subject.store.load(session.sid) == Missing()
        await created(subject, user)

    async def test_the_least_recently_used_ones_make_room(self, subject: Subject) -> None:
        now = subject.now()
        first, second, third = [
            await created(subject, last_active_at=now - ago) for ago in (30, 20, 10)
        ]
        active = new_session(subject, sid=first.session.sid, last_active_at=now)
        await subject.store.save(active, based_on=1, operation=new_id())
        made = await created(subject)
        assert await listed(subject) == {each.session.sid for each in (first, third, made)}
        tombstone = await subject.store.load(second.session.sid)
        assert isinstance(tombstone, Tombstone)
        assert tombstone.reason is Reason.SESSION_LIMIT
        (end,) = ends(subject)
        assert (end.sids, end.user, end.initiator) == ((second.session.sid,), "ann", "n1")
        assert (end.end_id, end.reason, end.at) == (
            tombstone.end_id,
            Reason.SESSION_LIMIT,
            tombstone.at,
        )

    async def test_the_creation_tells_whom_it_evicted(self, subject: Subject) -> None:
        now = subject.now()
        old = [await created(subject, last_active_at=now - ago) for ago in (3, 2, 1)]
        subject.limit(2)
        made = await subject.store.create(
            new_session(subject), operation=new_id(), user_epoch="", initiator="n1"
        )
        assert isinstance(made, Created)
        evicted = [each.session.sid for each in old[:2]]
        assert list(made.evicted) == evicted
        assert [list(end.sids) for end in ends(subject)] == [evicted]
        assert len(await listed(subject)) == 2

    async def test_the_limit_is_exact_when_creations_come_together(self, subject: Subject) -> None:
        made = await asyncio.gather(*(created(subject) for _ in range(50)))
        live = await listed(subject)
        assert len(live) == RULES.max_sessions_per_user
        for stored in made:
            found = await subject.store.load(stored.session.sid)
            assert isinstance(found, Stored) == (stored.session.sid in live)
        gone = [sid for end in ends(subject) for sid in end.sids]
        assert len(gone) == len(set(gone)) == 50 - RULES.max_sessions_per_user

    async def test_neither_others_nor_visitors_count(self, subject: Subject) -> None:
        kept = [await created(subject) for _ in range(RULES.max_sessions_per_user)]
        for user in ("bob", "cat", None, None, None, None):
            await created(subject, user)
        assert await listed(subject) == {each.session.sid for each in kept}
        assert ends(subject) == []

    async def test_what_is_over_does_not_count(self, subject: Subject) -> None:
        now = subject.now()
        await created(subject, last_active_at=now - 1801)
        await created(subject, created_at=now - 43201)
        await subject.store.end_shard(
            subject.store.shard_of("ann"), end_id="e", reason=Reason.ADMIN, initiator="n1"
        )
        alive = [await created(subject) for _ in range(RULES.max_sessions_per_user)]
        assert await listed(subject) == {each.session.sid for each in alive}
        assert [end.end_id for end in ends(subject)] == ["e"]

    async def test_a_list_that_changed_is_announced(self, subject: Subject) -> None:
        await created(subject)
        assert subject.events() == [SessionsChanged("ann")]
        await created(subject, None)
        assert subject.events() == [SessionsChanged("ann")]
