"""Lists of a user's sessions, and the sockets that nodes hold of them."""
# ruff: noqa: D102 - a test is named by a sentence

from dataclasses import replace

import pytest

from server.core.events import SessionsChanged
from server.core.reasons import Reason
from server.store.contract import ListedSession
from tests.conformance.subjects import Subject, created, listed, new_id


async def sockets(subject: Subject) -> dict[str, int]:
    """By session id, as ann's list tells."""
    return {each.session.sid: each.sockets for each in await subject.store.list_user("ann")}


class ListingContract:
    """What listing promises."""

    async def test_a_list_holds_the_users_own_live_sessions(self, subject: Subject) -> None:
        own = [await created(subject) for _ in range(2)]
        await created(subject, "bob")
        await created(subject, None)
        found = await subject.store.list_user("ann")
        assert sorted(found, key=lambda each: each.session.sid) == sorted(
            (ListedSession(each.session, 0) for each in own), key=lambda each: each.session.sid
        )
        assert await subject.store.list_user("nobody") == []

    async def test_a_list_shows_what_was_saved_last(self, subject: Subject) -> None:
        stored = await created(subject)
        changed = replace(stored.session, data={"a": 1})
        await subject.store.save(changed, based_on=1, operation=new_id())
        assert await subject.store.list_user("ann") == [ListedSession(changed, 0)]

    async def test_a_session_past_a_deadline_is_not_listed(self, subject: Subject) -> None:
        now = subject.now()
        await created(subject, last_active_at=now - 1800)
        await created(subject, created_at=now - 43200)
        near = await created(subject, last_active_at=now - 1700)
        assert await listed(subject) == {near.session.sid}

    async def test_a_save_past_a_deadline_lists_nothing(self, subject: Subject) -> None:
        stored = await created(subject, last_active_at=subject.now() - 1801)
        await subject.store.save(stored.session, based_on=1, operation=new_id())
        assert await listed(subject) == set()

    async def test_users_are_those_with_sessions_in_order(self, subject: Subject) -> None:
        for user in ("eve", "ann", "bob", "ann", None):
            await created(subject, user)
        assert list(await subject.store.users()) == ["ann", "bob", "eve"]

    async def test_sockets_of_all_live_nodes_are_added_up(self, subject: Subject) -> None:
        one, two = [(await created(subject)).session.sid for _ in range(2)]
        for node in ("n1", "n2"):
            await subject.join(node)
        await subject.store.count_sockets("ann", one, "n1", 2)
        await subject.store.count_sockets("ann", one, "n2", 3)
        await subject.store.count_sockets("ann", two, "n2", 1)
        assert await sockets(subject) == {one: 5, two: 1}

    async def test_a_count_is_a_number_and_no_step(self, subject: Subject) -> None:
        sid = (await created(subject)).session.sid
        await subject.join("n1")
        for count in (2, 2, 1, 1):
            await subject.store.count_sockets("ann", sid, "n1", count)
            assert await sockets(subject) == {sid: count}
        for _ in range(2):
            await subject.store.count_sockets("ann", sid, "n1", 0)
            assert await sockets(subject) == {sid: 0}

    async def test_a_dead_node_holds_nothing(self, subject: Subject) -> None:
        sid = (await created(subject)).session.sid
        for node, count in (("n1", 2), ("n2", 3), ("never-listed", 7)):
            await subject.store.count_sockets("ann", sid, node, count)
        for node in ("n1", "n2"):
            await subject.join(node)
        subject.die("n2")
        assert await sockets(subject) == {sid: 2}

    async def test_a_late_count_of_an_ended_session_lists_nothing(self, subject: Subject) -> None:
        sid = (await created(subject)).session.sid
        await subject.join("n1")
        await subject.store.end_session(
            sid, user="ann", end_id="e", reason=Reason.LOGOUT, initiator="n1"
        )
        await subject.store.count_sockets("ann", sid, "n1", 2)
        assert await sockets(subject) == {}

    @pytest.mark.parametrize("ended_with", ["alone", "everything"])
    async def test_a_late_count_of_an_ended_session_is_told_to_nobody(
        self, subject: Subject, ended_with: str
    ) -> None:
        sid = (await created(subject)).session.sid
        await subject.join("n1")
        await subject.store.count_sockets("ann", sid, "n1", 1)
        if ended_with == "alone":
            await subject.store.end_session(
                sid, user="ann", end_id="e", reason=Reason.LOGOUT, initiator="n1"
            )
        else:
            shard = int(sid[:2])
            await subject.store.end_shard(shard, end_id="e", reason=Reason.ADMIN, initiator="n1")
        before = subject.events()
        await subject.store.count_sockets("ann", sid, "n1", 0)
        assert subject.events() == before

    async def test_a_changed_count_is_announced(self, subject: Subject) -> None:
        sid = (await created(subject)).session.sid
        before = subject.events().count(SessionsChanged("ann"))
        await subject.store.count_sockets("ann", sid, "n1", 2)
        assert subject.events().count(SessionsChanged("ann")) == before + 1
