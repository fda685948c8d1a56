"""Ends: of one, of all of a user, of everything; told once, and final."""
# ruff: noqa: D102 - a test is named by a sentence

import pytest

from server.core.events import EVERYTHING
from server.core.reasons import Reason
from server.store.contract import Ended, EpochChanged, Missing, Stored, Tombstone
from tests.conformance.subjects import (
    Subject,
    created,
    ends,
    listed,
    new_id,
    new_session,
)


async def end_one(subject: Subject, stored: Stored, event: str, reason: Reason) -> Ended:
    """End one session."""
    session = stored.session
    return await subject.store.end_session(
        session.sid, user=session.user, end_id=event, reason=reason, initiator="n1"
    )


async def end_user(subject: Subject, event: str, keep: str | None = None) -> Ended:
    """End all of ann's."""
    return await subject.store.end_user(
        "ann", keep=keep, end_id=event, reason=Reason.TERMINATED, initiator="n1"
    )


async def end_shard(subject: Subject, event: str) -> Ended:
    """End everything where ann's sessions are."""
    shard = subject.store.shard_of("ann")
    return await subject.store.end_shard(shard, end_id=event, reason=Reason.ADMIN, initiator="n1")


async def is_live(subject: Subject, stored: Stored) -> bool:
    """Whether a session can still be loaded."""
    return await subject.store.load(stored.session.sid) == stored


class EndingContract:
    """What ending promises."""

    async def test_all_of_a_user_means_lapsed_ones_too_which_could_be_served_again(
        self, subject: Subject
    ) -> None:
        lapsed = await created(subject, last_active_at=subject.now() - 1801)
        kept = await created(subject)  # where the index used to forget what had lapsed
        assert await listed(subject) == {kept.session.sid}  # and here
        ended = await end_user(subject, "e1", keep=kept.session.sid)
        assert ended.sids == (lapsed.session.sid,)
        assert isinstance(await subject.store.load(lapsed.session.sid), Tombstone)

    async def test_lapsed_ones_take_no_place(self, subject: Subject) -> None:
        subject.limit(2)
        lapsed = await created(subject, last_active_at=subject.now() - 1801)
        one, two = await created(subject), await created(subject)
        assert await is_live(subject, one)
        assert await is_live(subject, two)
        assert await is_live(subject, lapsed)  # the store has it; whether it may serve, others say

    @pytest.mark.parametrize("user", ["ann", None])
    async def test_one_is_ended_and_its_reason_stays(
        self, subject: Subject, user: str | None
    ) -> None:
        stored, other = await created(subject, user), await created(subject, user)
        sid = stored.session.sid
        before = subject.now()
        ended = await end_one(subject, stored, "e1", Reason.LOGOUT)
        assert (ended.sids, ended.earlier) == ((sid,), None)
        tombstone = await subject.store.load(sid)
        assert isinstance(tombstone, Tombstone)
        assert (tombstone.end_id, tombstone.reason) == ("e1", Reason.LOGOUT)
        assert before - 0.1 < tombstone.at < subject.now() + 0.1
        (end,) = ends(subject)
        assert (end.end_id, end.initiator, end.reason) == ("e1", "n1", Reason.LOGOUT)
        assert (end.at, end.user, end.sids) == (tombstone.at, user, (sid,))
        assert await is_live(subject, other)
        assert await listed(subject) == ({other.session.sid} if user else set())

    async def test_an_end_whose_reply_was_lost_is_told_once_and_answered_alike(
        self, subject: Subject
    ) -> None:
        stored = await created(subject)
        first = await end_one(subject, stored, "e1", Reason.LOGOUT)
        tombstone = await subject.store.load(stored.session.sid)
        again = await end_one(subject, stored, "e1", Reason.LOGOUT)
        assert (again.sids, again.earlier) == (first.sids, first.earlier)
        assert await subject.store.load(stored.session.sid) == tombstone
        assert len(ends(subject)) == 1

    async def test_the_first_end_stands_and_a_second_is_heard_all_the_same(
        self, subject: Subject
    ) -> None:
        stored = await created(subject)
        await end_one(subject, stored, "e1", Reason.LOGOUT)
        tombstone = await subject.store.load(stored.session.sid)
        second = await end_one(subject, stored, "e2", Reason.ADMIN)
        assert (second.sids, second.earlier) == ((), tombstone)
        assert await subject.store.load(stored.session.sid) == tombstone
        assert [end.end_id for end in ends(subject)] == ["e1", "e2"]

    async def test_ending_what_never_was_ends_nothing(self, subject: Subject) -> None:
        session = new_session(subject)
        ended = await end_one(subject, Stored(session, 1), "e1", Reason.LOGOUT)
        assert (ended.sids, ended.earlier) == ((), None)
        assert await subject.store.load(session.sid) == Missing()

    async def test_an_end_answers_which_nodes_are_listed_whatever_the_stores_clock_says(
        self, subject: Subject
    ) -> None:
        for node in ("n1", "n2", "n3"):
            await subject.join(node)
        subject.die("n3")
        subject.outlive("n2")
        stored = await created(subject)
        user_end = await end_user(subject, "e1")
        one_end = await end_one(subject, stored, "e2", Reason.LOGOUT)
        shard_end = await end_shard(subject, "e3")
        for ended in (one_end, user_end, shard_end, await end_user(subject, "e1")):
            assert set(ended.nodes) == {"n1", "n2"}
            assert [each.lease for each in ended.nodes.values()] == [30, 30]
            assert len({each.mark for each in ended.nodes.values()}) == 2

    async def test_all_of_a_user_are_ended_and_nobody_elses(self, subject: Subject) -> None:
        own = [await created(subject) for _ in range(3)]
        others = [await created(subject, "bob"), await created(subject, None)]
        sids = {each.session.sid for each in own}
        ended = await end_user(subject, "e1")
        assert set(ended.sids) == sids
        assert len(ended.sids) == 3
        for each in own:
            tombstone = await subject.store.load(each.session.sid)
            assert isinstance(tombstone, Tombstone)
            assert (tombstone.end_id, tombstone.reason) == ("e1", Reason.TERMINATED)
        (end,) = ends(subject)
        assert (end.end_id, end.user, set(end.sids)) == ("e1", "ann", sids)
        assert [await is_live(subject, each) for each in others] == [True, True]
        assert await listed(subject) == set()

    async def test_all_but_the_kept_one(self, subject: Subject) -> None:
        kept, other = await created(subject), await created(subject)
        ended = await end_user(subject, "e1", keep=kept.session.sid)
        assert ended.sids == (other.session.sid,)
        assert await is_live(subject, kept)
        assert await listed(subject) == {kept.session.sid}

    async def test_an_end_of_all_whose_reply_was_lost_spares_what_began_since(
        self, subject: Subject
    ) -> None:
        old = await created(subject)
        await end_user(subject, "e1")
        young = await created(subject)
        assert (await end_user(subject, "e1")).sids == (old.session.sid,)
        assert await is_live(subject, young)
        assert len(ends(subject)) == 1

    async def test_an_earlier_end_of_all_that_comes_again_lets_no_old_sign_in_through(
        self, subject: Subject
    ) -> None:
        """Its reply was lost, so it is asked again; meanwhile somebody else ended all."""
        await end_user(subject, "e1")
        epochs = await subject.store.epochs(subject.store.shard_of("ann"), "ann")
        await end_user(subject, "e2")
        await end_user(subject, "e1")
        made = await subject.store.create(
            new_session(subject, epoch=epochs.shard),
            operation=new_id(),
            user_epoch=epochs.user,
            initiator="n1",
        )
        assert made == EpochChanged()

    async def test_ending_all_of_nobody_is_no_fault(self, subject: Subject) -> None:
        assert (await end_user(subject, "e1")).sids == ()
        assert [end.sids for end in ends(subject)] == [()]

    async def test_everything_is_ended_at_once(self, subject: Subject) -> None:
        own, visitor = await created(subject), await created(subject, None)
        assert (await end_shard(subject, "e1")).sids == ()
        tombstone = await subject.store.load(own.session.sid)
        assert isinstance(tombstone, Tombstone)
        assert (tombstone.end_id, tombstone.reason) == ("e1", Reason.ADMIN)
        in_shard = int(visitor.session.sid[:2]) == subject.store.shard_of("ann")
        assert await is_live(subject, visitor) is not in_shard
        (end,) = ends(subject)
        assert (end.end_id, end.user, end.sids) == ("e1", None, (EVERYTHING,))
        assert await listed(subject) == set()

    async def test_other_shards_are_not_touched(self, subject: Subject) -> None:
        stored = await created(subject)
        for shard in range(subject.store.shards):
            if shard != subject.store.shard_of("ann"):
                await subject.store.end_shard(
                    shard, end_id=f"e{shard}", reason=Reason.ADMIN, initiator="n1"
                )
                assert await subject.store.sweep_shard(shard) == 0
        assert await is_live(subject, stored)

    async def test_an_end_of_everything_whose_reply_was_lost_spares_what_began_since(
        self, subject: Subject
    ) -> None:
        await end_shard(subject, "e1")
        young = await created(subject)
        await end_shard(subject, "e1")
        assert await is_live(subject, young)
        assert len(ends(subject)) == 1

    async def test_an_earlier_end_of_everything_that_comes_again_brings_nothing_back(
        self, subject: Subject
    ) -> None:
        """Its reply was lost, so it is asked again; meanwhile somebody else ended everything."""
        await end_shard(subject, "e1")
        between = await created(subject)
        await end_shard(subject, "e2")
        await end_shard(subject, "e1")
        assert isinstance(await subject.store.load(between.session.sid), Tombstone)
        assert await listed(subject) == set()

    async def test_what_was_ended_with_everything_had_ended_before(self, subject: Subject) -> None:
        stored = await created(subject)
        await end_shard(subject, "e1")
        tombstone = await subject.store.load(stored.session.sid)
        ended = await end_one(subject, stored, "e2", Reason.LOGOUT)
        assert (ended.sids, ended.earlier) == ((), tombstone)
        assert await subject.store.load(stored.session.sid) == tombstone

    async def test_what_was_ended_with_everything_is_not_ended_again_with_the_users(
        self, subject: Subject
    ) -> None:
        stored = await created(subject)
        await end_shard(subject, "e1")
        tombstone = await subject.store.load(stored.session.sid)
        assert (await end_user(subject, "e2")).sids == ()
        assert await subject.store.load(stored.session.sid) == tombstone

    async def test_the_sweep_counts_once_and_keeps_reasons_and_the_young(
        self, subject: Subject
    ) -> None:
        dead = [await created(subject) for _ in range(3)]
        await end_shard(subject, "e1")
        young = await created(subject)
        shard = subject.store.shard_of("ann")
        assert [await subject.store.sweep_shard(shard) for _ in range(2)] == [3, 0]
        for each in dead:
            tombstone = await subject.store.load(each.session.sid)
            assert isinstance(tombstone, Tombstone)
            assert (tombstone.end_id, tombstone.reason) == ("e1", Reason.ADMIN)
        assert await is_live(subject, young)
