"""Entries of the streams: what was signed is believed, and nothing else is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from server.core.events import (
    EVERYTHING,
    Acknowledgement,
    DataPublished,
    EntryRejection,
    Event,
    MessageSent,
    RoomGranted,
    Scope,
    SessionExtended,
    SessionsChanged,
    SessionsEnded,
    TokenRotated,
)
from server.core.reasons import Reason
from server.crypto.keyring import Keyring
from server.store import entries as entries_of_streams
from server.store.entries import Entries, Fields
from tests.support.engine.keys import key
from tests.support.engine.quiet import quiet_context

SID: Final = "00" + "A" * 22
OTHER: Final = "00" + "B" * 22
NOW: Final = 1_000_000.0
ENTRY: Final = f"{int(NOW * 1000)}-0"
EVENTS: Final = [
    TokenRotated(SID, 7),
    SessionsChanged("ann"),
    SessionExtended(SID),
    MessageSent("ann", "c1", b"\x00\xff\n box"),
    DataPublished("ann", SID, "c1", "m1", "n2", b"\x00\xff\n box"),
    RoomGranted("ann", SID, "chat:1"),
]


class Clock:
    """The store's clock, which stands."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        """The time."""
        return self.time


def entries(*keys: str, clock: Clock | None = None, node: str = "n1") -> Entries:
    """Entries under these keys."""
    ring = Keyring.from_secrets([key(each) for each in keys or ("one",)])
    return Entries(ring, quiet_context(clock or Clock(), node=node))


def stored(fields: Fields, **further: str) -> dict[bytes, bytes]:
    """An entry as it comes back from the store."""
    flat = [each.encode() if isinstance(each, str) else each for each in fields]
    return {name.encode(): value.encode() for name, value in further.items()} | dict(
        zip(flat[::2], flat[1::2], strict=True)
    )


def end_of_user(by: Entries) -> dict[bytes, bytes]:
    """The end of all of ann's sessions."""
    signed = by.sign_end(
        Scope.USER,
        end_id="e1",
        initiator="n1",
        reason=Reason.ADMIN,
        shard=0,
        user="ann",
        keep=OTHER,
    )
    return stored(signed, at=str(NOW + 0.25), sids=f"{SID} {OTHER}")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    assert entries().read(ENTRY, stored(entries().sign(event))) == event


def test_an_end_is_read_with_what_its_script_added() -> None:
    assert entries().read(ENTRY, end_of_user(entries())) == SessionsEnded(
        scope=Scope.USER,
        end_id="e1",
        initiator="n1",
        reason=Reason.ADMIN,
        asked_at=NOW,
        user="ann",
        shard=0,
        keep=OTHER,
        at=NOW + 0.25,
        sids=(SID, OTHER),
        is_heard_together=True,
    )


def test_a_session_that_was_named_cannot_be_changed_for_another() -> None:
    signed = entries().sign_end(
        Scope.SESSION, end_id="e", initiator="n", reason=Reason.LOGOUT, shard=0, sids=SID
    )
    found = entries().read(ENTRY, stored(signed, at="1.0", sids=OTHER))
    assert isinstance(found, SessionsEnded)
    assert found.sids == (SID,)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.proves("A89", "4.1.5")
def test_no_field_can_be_changed_taken_away_added_or_moved(event: Event) -> None:
    genuine = stored(entries().sign(event))
    forgeries: list[Mapping[bytes, bytes]] = [
        genuine | {b"also": b"this"},
        dict(reversed(genuine.items())),
    ]
    for name, value in genuine.items():
        forgeries += [genuine | {name: value + b"0"}, genuine | {name: b""}]
        forgeries += [{each: genuine[each] for each in genuine if each != name}]
    for forged in forgeries:
        assert entries().read(ENTRY, forged) is EntryRejection.FORGED


@pytest.mark.parametrize("name", ["scope", "event", "origin", "reason", "user", "shard", "keep"])
@pytest.mark.proves("A89")
def test_no_signed_part_of_an_end_can_be_changed(name: str) -> None:
    genuine = end_of_user(entries())
    assert entries().read(ENTRY, genuine | {name.encode(): b"x"}) is EntryRejection.FORGED


def test_a_kind_cannot_be_taken_for_another_by_moving_the_borders_of_fields() -> None:
    rotated = stored(entries().sign(TokenRotated(SID, 7)))
    moved = {b"kind": b"rotatedsid", SID.encode(): b"generation7", **rotated}
    assert entries().read(ENTRY, moved) is EntryRejection.FORGED


@pytest.mark.proves("A89")
def test_another_deployments_events_are_none() -> None:
    assert entries("one").read(ENTRY, end_of_user(entries("two"))) is EntryRejection.FORGED


@pytest.mark.proves("A7", "11.2.2")
def test_while_keys_change_nodes_with_either_order_understand_each_other() -> None:
    old_first, new_first = entries("old", "new"), entries("new", "old")
    for by, to in ((old_first, new_first), (new_first, old_first), (entries("old"), new_first)):
        assert isinstance(to.read(ENTRY, end_of_user(by)), SessionsEnded)
    assert entries("new").read(ENTRY, end_of_user(old_first)) is EntryRejection.FORGED


def test_an_entry_comes_again_after_an_interruption_but_not_elsewhere_in_the_stream() -> None:
    clock = Clock()
    reader, genuine = entries(clock=clock), end_of_user(entries())
    assert isinstance(reader.read(ENTRY, genuine), SessionsEnded)
    assert isinstance(reader.read(ENTRY, genuine), SessionsEnded)
    clock.time += 1
    assert reader.read("1000001000-0", genuine) is None  # a script whose reply was lost
    clock.time += 10
    assert reader.read("1000011000-0", genuine) is EntryRejection.REPEATED


@pytest.mark.proves("A89")
def test_what_is_from_long_before_it_appeared_is_refused() -> None:
    clock = Clock()
    clock.time += 61
    reader, genuine = entries(clock=clock), end_of_user(entries())
    assert reader.read(f"{int(clock.time * 1000)}-0", genuine) is EntryRejection.LATE
    assert reader.read(f"{2**60}-0", genuine) is EntryRejection.LATE


@pytest.mark.proves("A89")
@pytest.mark.parametrize("entry", ["0-1", "1-1", f"{int((NOW - 6) * 1000)}-0"])
def test_what_is_dated_from_before_it_was_asked_for_is_as_late_as_it_is_read(entry: str) -> None:
    clock = Clock()
    clock.time += 59
    genuine = end_of_user(entries())
    assert isinstance(entries(clock=clock).read(entry, genuine), SessionsEnded)
    clock.time += 2
    assert entries(clock=clock).read(entry, genuine) is EntryRejection.LATE
    nearly = f"{int((NOW - 4) * 1000)}-0"
    assert isinstance(entries(clock=clock).read(nearly, genuine), SessionsEnded)


def test_what_a_node_signed_that_had_not_noticed_a_step_is_not_late() -> None:
    clock, genuine = Clock(), end_of_user(entries())
    clock.time += 600
    entry = f"{int(clock.time * 1000)}-0"
    ring = Keyring.from_secrets([key("one")])
    steps: list[float] = [600.0]
    reader = Entries(ring, quiet_context(clock, node="n1"), lambda: steps)
    assert isinstance(reader.read(entry, genuine), SessionsEnded)
    for others in ([], [-600.0], [300.0], [700.0]):
        steps[:] = others
        assert reader.read(entry, genuine) is EntryRejection.LATE


def test_a_node_that_reads_late_believes_what_came_in_time() -> None:
    clock = Clock()
    clock.time += 3600
    assert isinstance(entries(clock=clock).read(ENTRY, end_of_user(entries())), SessionsEnded)


def test_an_entry_in_the_far_future_does_not_make_the_others_late() -> None:
    assert isinstance(entries().read(f"{2**60}-1", end_of_user(entries())), SessionsEnded)


@pytest.mark.proves("A89")
def test_an_acknowledgement_counts_for_whom_it_was_meant() -> None:
    done = Acknowledgement("n2", {"e1": 3})
    written = stored(entries(node="n2").sign_acknowledgement("n1", done))
    assert entries(node="n1").read(ENTRY, written) == done
    assert entries(node="n3").read(ENTRY, written) is EntryRejection.FORGED
    for forged in ({b"closed": b'{"e2": 3}'}, {b"node": b"n3"}, {b"to": b"n3"}):
        assert entries(node="n1").read(ENTRY, written | forged) is EntryRejection.FORGED


@pytest.mark.proves("A91")
def test_an_entry_larger_than_any_of_ours_is_not_even_verified() -> None:
    large = stored(entries().sign(MessageSent("ann", "c1", b"x" * 300_000)))
    assert entries().read(ENTRY, large) is EntryRejection.FORGED


def test_a_genuine_entry_of_an_unheard_of_kind_is_passed_over() -> None:
    by = entries()
    assert by.read(ENTRY, stored(by._signed("kind", "unheard-of"))) is None


def test_what_proves_an_end_cannot_be_widened_by_the_script_that_found_the_sessions() -> None:
    end = entries().read(ENTRY, end_of_user(entries()))
    assert isinstance(end, SessionsEnded)
    assert end.may_include(SID, "ann", "")
    assert not end.may_include(SID, "bob", "")
    assert not end.may_include(OTHER, "ann", "")
    assert end.proves_ended(SID, NOW - 1)
    assert not end.proves_ended(SID, NOW - 0.05)
    assert not end.proves_ended(SID, NOW + 1)
    assert not replace(end, sids=()).proves_ended(SID, NOW - 1)
    assert not replace(end, scope=Scope.LIMIT).proves_ended(SID, NOW - 1)


def test_an_end_of_everything_is_of_its_shard_and_of_what_was_there() -> None:
    signed = entries().sign_end(
        Scope.SHARD, end_id="e", initiator="n", reason=Reason.ADMIN, shard=0, sids=EVERYTHING
    )
    end = entries().read(ENTRY, stored(signed, at="1.0"))
    assert isinstance(end, SessionsEnded)
    assert end.may_include(SID, None, "before")
    assert not end.may_include(SID, None, "e")
    assert not end.may_include("01" + SID[2:], None, "before")
    assert end.proves_ended(SID, NOW - 1)
    assert not end.proves_ended(SID, NOW + 1)


def test_an_end_is_signed_for_the_script_that_appends_it_and_never_alone() -> None:
    end = entries().read(ENTRY, end_of_user(entries()))
    assert isinstance(end, SessionsEnded)
    with pytest.raises(TypeError, match="only scripts"):
        entries().sign(end)


def test_of_many_entries_the_first_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_of_streams, "MAX_REMEMBERED", 3)
    reading = entries()
    for number in range(10):
        event = SessionsChanged(str(number))
        assert reading.read(ENTRY, stored(entries().sign(event))) == event
    assert len(reading._seen) == 3


@pytest.mark.proves("A89")
def test_an_acknowledgement_for_all_initiators_counts_for_each_of_them() -> None:
    done = Acknowledgement("n2", {"e1": 3, "e2": 0})
    written = stored(entries(node="n2").sign_acknowledgement(None, done))
    for node in ("n1", "n3"):
        assert entries(node=node).read(ENTRY, written) == done
    for forged in ({b"closed": b'{"e2": 3}'}, {b"node": b"n3"}):
        assert entries(node="n1").read(ENTRY, written | forged) is EntryRejection.FORGED


def test_an_end_of_an_earlier_version_is_acknowledged_to_its_initiator_alone() -> None:
    by = entries()
    signed = by._signed(
        *("kind", "ended", "scope", "session", "event", "e", "origin", "n", "reason", "logout"),
        *("user", "", "shard", "00", "keep", "", "named", SID),
    )
    found = by.read(ENTRY, stored(signed, at="1.0", sids=SID))
    assert isinstance(found, SessionsEnded)
    assert not found.is_heard_together
