"""One room on a node: the order of its entries, and what happens when one is missing."""

from dataclasses import replace

from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomRemoval,
)
from server.core.room_frames import SharedFrame
from server.core.rooms import (
    Admitted,
    Member,
    RoomLife,
    position_of,
)
from server.realtime.room_here import MAX_WAITING, Guest, RoomHere, RoomPlace

ANN = Member("ann", "s1")
LIFE = RoomLife("h", "e")


class Seat:
    """A socket, as rooms see it."""

    is_up = True

    def __init__(self, name: str, member: Member = ANN) -> None:
        self.id = name
        self.member = member
        self.got: list[str] = []

    def send(self, frame: str) -> None:
        """Take a frame."""
        self.got.append(frame)

    def send_shared(self, frame: SharedFrame) -> None:
        """Take a frame."""
        self.got.append(frame)

    def drop_topic(self, topic: str) -> None:
        """Have nothing queued."""


def message(number: int) -> RoomEntry:
    """An entry with a message."""
    return RoomEntry("d", number, RoomMessage(number, b""))


def answer(number: int, *, is_in: bool = True) -> Admitted:
    """The store's answer to one session."""
    return Admitted("h", "e", number, number, (is_in,))


def begun(number: int = 5) -> RoomHere:
    """A room with one socket, in which everything up to a number is known."""
    room = RoomHere("den", "d")
    assert room.go_on(answer(number), [ANN]) == []
    room.places["c1"] = RoomPlace(Seat("c1"), number, LIFE)
    return room


def test_entries_are_applied_once_and_in_order() -> None:
    room = begun()
    assert [room.take(message(number)) for number in (4, 5, 6, 6, 7)] == [
        False, False, True, False, True,
    ]  # fmt: skip


def test_a_missing_number_holds_the_room_until_the_store_has_answered() -> None:
    room = begun()
    assert room.take(message(7)) is None
    assert room.is_held
    assert room.take(message(8)) is False
    waiting = room.go_on(answer(7), [ANN])
    assert waiting == [message(7), message(8)]
    assert [room.take(each) for each in waiting] == [False, True]


def test_who_was_let_in_meanwhile_must_be_asked_about_too() -> None:
    room = begun()
    room.hold(is_broken=True)
    room.places["c2"] = RoomPlace(Seat("c2", Member("bob", "s2")), 6, LIFE)
    assert room.go_on(answer(7), [ANN]) is None
    assert room.is_held


def test_too_much_that_waits_is_given_up_and_asked_about_anew() -> None:
    room = begun()
    room.hold(is_broken=False)
    for number in range(6, 8 + MAX_WAITING):
        room.take(message(number))
    assert room.go_on(answer(6), [ANN]) is None
    assert room.is_broken


def test_a_late_answer_does_not_let_in_who_was_removed_since() -> None:
    room = begun()
    asking = [Seat("c9")]
    room.entering.append(asking)
    assert room.take(message(6))
    assert room.missed(ANN, 5) == [message(6)]
    assert room.take(RoomEntry("d", 7, RoomRemoval("ann")))
    assert room.missed(ANN, 5) is None
    assert room.missed(ANN, 7) == []
    room.has_entered(asking)
    assert room.missed(ANN, 5) == []


def test_an_empty_room_begins_anew_from_a_later_answer() -> None:
    room = begun()
    room.places.clear()
    room.start_from(answer(9))
    assert room.go_on(answer(9), [ANN]) == []
    assert room.take(message(10))


async def test_a_socket_gets_what_came_after_it_and_behind_what_is_replayed() -> None:
    room = begun()
    late = room.places["c2"] = RoomPlace(Seat("c2"), 6, LIFE, [])
    frame = SharedFrame("x")
    sent: list[Guest] = []
    await room.send(frame, 6, sent.append)
    await room.send(frame, 7, sent.append)
    assert [each.id for each in sent] == ["c1", "c1", "c2"]
    assert late.backlog == [frame]


def test_numbers_of_another_server_say_nothing_of_those_from_before() -> None:
    room = begun(50)
    room.move()
    assert room.go_on(Admitted("other", "e", 3, 1, (True,)), [ANN]) == []
    assert (room.places["c1"].since, room.position) == (3, position_of("other", "e", 1))
    assert room.take(message(4))


def test_whose_place_is_of_another_server_must_be_asked_about_however_high_its_number() -> None:
    room = begun(50)
    room.move()
    assert room.go_on(Admitted("other", "e", 3, 1, ()), []) is None


def test_what_waits_from_the_server_before_is_not_applied() -> None:
    room = begun()
    room.hold(is_broken=False)
    room.take(message(6))
    room.move()
    assert room.go_on(Admitted("other", "e", 5, 5, (True,)), [ANN]) == []


def test_an_entry_of_a_room_that_was_made_again_holds_until_the_store_has_answered() -> None:
    room = begun()
    again = replace(message(6), epoch="e2")
    assert room.take(again) is None
    room.take(replace(message(7), epoch="e"))
    assert room.go_on(Admitted("h", "e2", 5, 0, (True,)), [ANN]) == [again]


def test_an_empty_room_that_was_made_again_begins_from_its_own_numbers() -> None:
    room = begun(50)
    room.places.clear()
    entered = Admitted("h", "e2", 0, 0, (True,))
    room.start_from(entered)
    assert room.go_on(entered, [ANN]) == []
    assert room.take(replace(message(1), epoch="e2"))


def test_a_late_answer_does_not_let_into_a_room_that_was_deleted_since() -> None:
    room = begun()
    room.entering.append([Seat("c9")])
    assert room.take(RoomEntry("d", 6, RoomDeleted()))
    assert room.missed(ANN, 5) is None
