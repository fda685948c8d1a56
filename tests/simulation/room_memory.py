"""Rooms in memory: what each script of rooms does, in one step."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from server.core.room_entries import (
    RoomDeleted,
    RoomEntry,
    RoomMessage,
    RoomPresence,
    RoomRemoval,
)
from server.core.rooms import (
    MAX_MEMBERS,
    MAX_ROOMS,
    MAX_ROOMS_OF_MEMBER,
    Admitted,
    EntryMode,
    Member,
    Overtaken,
    Present,
    RemovedMeanwhile,
    RoomOptions,
    RoomRefusal,
    digest_of,
)
from server.store.room_contract import Acknowledged, Kept, Sent, Turn
from server.store.room_store import ANOTHER_LIFE, KEPT_BYTES

What = RoomMessage | RoomRemoval | RoomPresence | RoomDeleted

REMOVALS = itertools.count(1_000_000, 1_000_000)
"""With which rooms begin, as with the time at which they are made."""


@dataclass
class _Room:
    """One room; the fields are those of `parts/rooms.lua`."""

    name: str
    epoch: str
    options: RoomOptions
    number: int = 0
    messages: int = 0
    removals: int = 0
    members: dict[tuple[str, str], float] = field(default_factory=dict)
    """Users and sessions that were added, with when they lapse."""
    listeners: dict[str, int] = field(default_factory=dict)
    """The turn of the latest entry of each."""
    present: dict[tuple[Member, str], int] = field(default_factory=dict)
    people: Counter[Member] = field(default_factory=Counter)
    log: list[tuple[int, bytes, float]] = field(default_factory=list)
    """Numbers of messages, what they are, and when they were published."""

    def copy(self) -> "_Room":
        """Return a room that changes on its own."""
        return _Room(
            *(self.name, self.epoch, self.options, self.number, self.messages, self.removals),
            *(dict(self.members), dict(self.listeners), dict(self.present)),
            *(Counter(self.people), list(self.log)),
        )


class RoomMemory:
    """The rooms of a store.

    Args:
        nodes: returns the listed nodes.
        wake: called when something came into an inbox.
        now: the store's clock.
    """

    def __init__(
        self,
        nodes: Callable[[], Collection[str]],
        wake: Callable[[], object],
        now: Callable[[], float],
    ) -> None:
        self._now = now
        self._nodes = nodes
        self._wake = wake
        self.history = ""
        self.on_publish: Callable[[bytes], object] = id
        self.on_add: Callable[[str], object] = id
        self.on_remove: Callable[[str, int], object] = id_of_two
        self.rooms: dict[str, _Room] = {}
        self.indexes: dict[tuple[str, str], set[str]] = {}
        self.counted: dict[tuple[str, str], int] = {}
        """The turn of the latest count of each node in each room."""
        self.inboxes: dict[str, list[RoomEntry | Acknowledged | None]] = {}
        """None in place of an entry that was trimmed."""

    def copy_to(self, other: "RoomMemory") -> None:
        """Give another store the same rooms."""
        other.rooms = {name: room.copy() for name, room in self.rooms.items()}
        other.indexes = {who: set(names) for who, names in self.indexes.items()}
        other.counted = dict(self.counted)
        other.inboxes = {node: list(entries) for node, entries in self.inboxes.items()}

    def create(self, name: str, epoch: str, options: RoomOptions) -> RoomRefusal | None:
        """Do as room_create.lua."""
        if (room := self.rooms.get(name)) is not None:
            room.options = options
            room.log = room.log if options.kept else []
        elif len(self.rooms) >= MAX_ROOMS:
            return RoomRefusal.TOO_MANY_ROOMS
        else:
            self.rooms[name] = _Room(name, epoch, options, removals=next(REMOVALS))
        return None

    def epoch_of(self, name: str) -> str:
        """Return which life of a room this is; empty if there is none."""
        return self.rooms[name].epoch if name in self.rooms else ""

    def delete(self, name: str, epoch: str) -> None:
        """Do as room_delete.lua."""
        if self.epoch_of(name) == epoch:
            self._tell(self.rooms.pop(name), RoomDeleted())

    def add(
        self, name: str, user: str, sid: str, lapses_in_ms: int, removals: int
    ) -> RemovedMeanwhile | RoomRefusal | None:
        """Do as room_index.lua and room_add.lua."""
        names = self.indexes.setdefault((user, sid), set())
        if name not in names and len(names) >= MAX_ROOMS_OF_MEMBER:
            names.intersection_update(self.rooms)
            if len(names) >= MAX_ROOMS_OF_MEMBER:
                return RoomRefusal.TOO_MANY_ROOMS
        names.add(name)
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        if room.removals != removals:
            return RemovedMeanwhile()
        now = self._now()
        room.members = {each: lapses for each, lapses in room.members.items() if lapses > now}
        if (user, sid) not in room.members and len(room.members) >= MAX_MEMBERS:
            return RoomRefusal.TOO_MANY_MEMBERS
        room.members[user, sid] = now + lapses_in_ms / 1000 if lapses_in_ms else math.inf
        self.on_add(user)
        return None

    def remove(self, name: str, user: str, sid: str, epoch: str) -> RoomRefusal | bytes | None:
        """Do as room_remove.lua."""
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        if room.epoch != epoch:
            return ANOTHER_LIFE
        removal = RoomRemoval(user, sid)
        for granted in list(room.members):
            if granted == (user, sid) or (not sid and granted[0] == user):
                del room.members[granted]
                self.indexes.get(granted, set()).discard(name)
        room.removals += 1
        self._tell(room, removal)
        self.on_remove(user, room.number)
        for member, node in list(room.present):
            if removal.concerns(member):
                self._set_count(room, member, node, 0)
        return None

    def rooms_of(self, members: Sequence[Member]) -> Sequence[Sequence[str]]:
        """Return what the indexes say."""
        return [
            sorted(
                self.indexes.get((each.user, each.sid), set())
                | (self.indexes.get((each.user, ""), set()) if each.user else set())
            )
            for each in members
        ]

    def removals(self, name: str) -> int | RoomRefusal:
        """Return a number that grows with each removal, and each life."""
        return self.rooms[name].removals if name in self.rooms else RoomRefusal.UNKNOWN

    def enter(
        self, name: str, turn: Turn, mode: EntryMode, members: Mapping[Member, int], removals: int
    ) -> Admitted | RemovedMeanwhile | Overtaken | RoomRefusal:
        """Do as room_enter.lua."""
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        if mode is EntryMode.CHECKED and room.removals != removals:
            return RemovedMeanwhile()
        if self.counted.get((name, turn.node), 0) > turn.number:
            return Overtaken()
        listened = turn.node in room.listeners
        is_in = tuple(self._may_enter(room, turn.node, mode, each) for each in members)
        if any(is_in):
            room.listeners[turn.node] = max(room.listeners.get(turn.node, 0), turn.number)
        for (member, count), may in zip(members.items(), is_in, strict=True):
            if may:
                self._set_count(room, member, turn.node, count)
        return Admitted(self.history, room.epoch, room.number, room.messages, is_in, listened)

    def count(self, name: str, turn: Turn, members: Mapping[Member, int], *, listens: bool) -> bool:
        """Do as room_count.lua."""
        room = self.rooms.get(name)
        entered = room.listeners.get(turn.node, 0) if room else 0
        if max(entered, self.counted.get((name, turn.node), 0)) > turn.number:
            return False
        if room or not listens:
            self.counted[name, turn.node] = turn.number
        if room is None:
            return True
        if not listens:
            room.listeners.pop(turn.node, None)
        for member, count in members.items():
            if not count or (member, turn.node) in room.present:
                self._set_count(room, member, turn.node, count)
        return True

    def publish(self, name: str, box: bytes, mark: str, publisher: str) -> Sent | RoomRefusal:
        """Do as room_publish.lua."""
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        room.messages += 1
        self._tell(room, RoomMessage(room.messages, box, mark, publisher))
        self.on_publish(box)
        if room.options.kept:
            kept = [*room.log, (room.messages, box, self._now())]
            room.log = kept[-room.options.kept :]
        return Sent(self.history, room.epoch, room.messages, list(room.listeners))

    def kept(self, name: str, after: int) -> Kept | RoomRefusal:
        """Do as room_kept.lua."""
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        kept_ms = room.options.kept_ms
        oldest = self._now() - kept_ms / 1000 if kept_ms else -math.inf
        found: list[tuple[int, bytes]] = []
        size = 0
        for number, box, at in reversed(room.log):
            size += len(box)
            if number <= after or at < oldest or size > KEPT_BYTES:
                break
            found.insert(0, (number, box))
        return Kept(self.history, room.epoch, room.messages, found)

    def present(self, name: str) -> Sequence[Present] | RoomRefusal:
        """Do as room_present.lua."""
        if (room := self.rooms.get(name)) is None:
            return RoomRefusal.UNKNOWN
        counts: dict[Member, int] = {}
        for (member, node), count in room.present.items():
            if node in self._nodes():
                person = _person(member)
                counts[person] = counts.get(person, 0) + count
        return [Present(each.user or None, each.sid, n) for each, n in counts.items()]

    def acknowledge(self, node: str, acknowledged: Acknowledged) -> None:
        """Do as room_acknowledge.lua."""
        self.inboxes.setdefault(node, []).append(acknowledged)
        self._wake()

    def ghosts(self, confirmed: Collection[str]) -> Collection[str]:
        """Do as room_ghosts.lua and room_bury.lua."""
        gone = set()
        for room in self.rooms.values():
            nodes = {*room.listeners, *(node for _, node in room.present)}
            for node in sorted(nodes - set(self._nodes())):
                if node not in confirmed:
                    gone.add(node)
                    continue
                room.listeners.pop(node, None)
                for member, each in list(room.present):
                    if each == node:
                        self._set_count(room, member, node, 0)
        return gone

    def _may_enter(self, room: _Room, node: str, mode: EntryMode, member: Member) -> bool:
        return (
            mode is EntryMode.CHECKED
            or (bool(member.user) and (member.user, "") in room.members)
            or (member.user, member.sid) in room.members
            or (mode is EntryMode.AGAIN and (member, node) in room.present)
        )

    def _set_count(self, room: _Room, member: Member, node: str, count: int) -> None:
        person = _person(member)
        before = room.people[person]
        room.people[person] += count - room.present.pop((member, node), 0)
        if count:
            room.present[member, node] = count
        after = room.people[person]
        if room.options.presence and bool(before) != bool(after):
            self._tell(room, RoomPresence(person.user or None, person.sid, bool(after)))

    def _tell(self, room: _Room, what: What) -> None:
        room.number += 1
        entry = RoomEntry(digest_of(room.name), room.number, what, room.epoch)
        for node in room.listeners:
            self.inboxes.setdefault(node, []).append(entry)
        self._wake()


def id_of_two(_: object, __: object) -> None:
    """Note nothing."""


def _person(member: Member) -> Member:
    return Member(member.user, "") if member.user else member
