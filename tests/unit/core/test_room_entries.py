"""What happens in a room: whom a removal concerns."""

from server.core.room_entries import RoomRemoval
from server.core.rooms import Member


def test_a_removal_concerns_a_user_with_all_sessions_or_one_session() -> None:
    ann, tab, bob = Member("ann", "s1"), Member("ann", "s2"), Member("bob", "s3")
    assert [RoomRemoval("ann").concerns(each) for each in (ann, tab, bob)] == [True, True, False]
    alone = RoomRemoval("ann", "s2")
    assert [alone.concerns(each) for each in (ann, tab, bob)] == [False, True, False]
