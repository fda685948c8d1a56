"""A store in memory. Like a script, each operation takes no time.

It passes the same conformance suite as the real store. The delays, cuts and freezes between it and
a node are in `network.py`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from server.core.events import (
    EVERYTHING,
    Acknowledgement,
    Event,
    MessageSent,
    Scope,
    SessionsChanged,
    SessionsEnded,
)
from server.core.nodes import ListedNode
from server.core.reasons import Reason
from server.core.receipt import Durability
from server.core.session import Rules, Session, deadlines
from server.core.token import shard_of_sid
from server.store.contract import (
    Conflict,
    Created,
    Ended,
    EpochChanged,
    Epochs,
    ListedSession,
    Loaded,
    Missing,
    Saved,
    Stored,
    Tombstone,
)
from server.store.control_log import REPLIES_TTL
from server.store.stream_contract import Batch, Position, Positions

ENTRIES_PER_READ = 8
"""So few that reads bring several batches, as they do under load."""


EntryId = tuple[int, int]
"""Milliseconds on the store's clock, and a number that tells entries of one moment apart."""


@dataclass
class Stream:
    """Entries in order. Ids rise within one stream, even if the store's clock is set back.

    Attributes:
        now: the store's clock.
        added: how many entries were ever added.
        last: id of the last entry.
        expires_at: when the store forgets the stream.
    """

    now: Callable[[], float]
    entries: list[tuple[EntryId, object]] = field(default_factory=list)
    added: int = 0
    last: EntryId = (0, 0)
    expires_at: float = float("inf")

    def append(self, entry: object) -> None:
        """Add an entry."""
        time_ms = int(self.now() * 1000)
        self.last = max((time_ms, 0), (self.last[0], self.last[1] + 1))
        self.added += 1
        self.entries.append((self.last, entry))

    def after(self, position: Position) -> list[tuple[EntryId, object]]:
        """Return the next entries after a position, at most a batch."""
        read = parse_id(position.entry)
        return [entry for entry in self.entries if entry[0] > read][:ENTRIES_PER_READ]

    def trim(self) -> None:
        """Remove all entries."""
        self.entries.clear()

    def has_lost(self, position: Position) -> bool:
        """Return whether entries after a position are gone, or it is of another stream."""
        return self.is_another(position) or self.added - len(self.entries) > position.count

    def is_another(self, position: Position) -> bool:
        """Return whether a position is of a stream that was here before."""
        return self.added < position.count or self.last < parse_id(position.entry)

    @property
    def end(self) -> Position:
        """The position behind the last entry."""
        return Position(format_id(self.last), self.added)


def parse_id(entry: str) -> EntryId:
    """Return the id of an entry as numbers."""
    time_ms, _, sequence = entry.partition("-")
    return int(time_ms), int(sequence)


def format_id(entry: EntryId) -> str:
    """Return the id of an entry as text."""
    return f"{entry[0]}-{entry[1]}"


class Memory:
    """The state of a store, and what each script does to it.

    Args:
        now: the store's clock.
        rules: the durations in force.
        lease: of nodes, in seconds.
        shards: how many.
    """

    def __init__(
        self, now: Callable[[], float], rules: Rules, lease: float, shards: int = 1
    ) -> None:
        self.now = now
        self.rules = rules
        self.lease = lease
        self.shards = shards
        self.records: dict[str, tuple[Session, int, str]] = {}
        self.tombstones: dict[str, Tombstone] = {}
        self.index: dict[str, dict[str, float]] = {}
        self.user_epochs: dict[str, str] = {}
        self.completed_ends: dict[str, tuple[str, ...]] = {}
        self.shard_ends: dict[int, Tombstone] = {}
        self.nodes: dict[str, float] = {}
        self.renewals: dict[str, tuple[int, int]] = {}
        self.dropped: dict[str, int] = {}
        self.sockets: dict[str, dict[tuple[str, str], int]] = {}
        self.control = Stream(now)
        self.messages = Stream(now)
        self.replies: dict[str, Stream] = {}
        self.waiting: list[asyncio.Future[None]] = []
        self.on_end: Callable[[str], object] = id

    def under(self, rules: Rules) -> "Memory":
        """Write the next record under these rules: nodes may run with different settings."""
        self.rules = rules
        return self

    def load(self, sid: str) -> Loaded:
        """Do as `load`."""
        if tombstone := self.tombstones.get(sid):
            return tombstone
        record = self.records.get(sid)
        if record is None:
            return Missing()
        return self._ended_by_epoch(record[0]) or Stored(record[0], record[1])

    def epochs(self, shard: int, user: str | None) -> Epochs:
        """Do as `epochs`."""
        return Epochs(self._epoch(shard), self.user_epochs.get(user or "", ""))

    def create(
        self, session: Session, operation: str, user_epoch: str, initiator: str, asked_at: float
    ) -> Created | EpochChanged | Tombstone:
        """Do as create.lua."""
        sid = session.sid
        if tombstone := self.tombstones.get(sid):
            return tombstone
        if sid in self.records:
            same = self.records[sid][2] == operation
            return Created(Stored(session, 1), ()) if same else EpochChanged()
        if session.epoch != self._epoch(shard_of_sid(sid)):
            return EpochChanged()
        evicted: tuple[str, ...] = ()
        if session.user is not None:
            if self.epochs(0, session.user).user != user_epoch:
                return EpochChanged()
            evicted = self._make_room(session, f"{operation}-limit", initiator, asked_at)
            self._score(session)
            self.publish(SessionsChanged(session.user))
        self.records[sid] = (session, 1, operation)
        return Created(Stored(session, 1), evicted)

    def save(
        self, session: Session, based_on: int, operation: str, event: Event | None
    ) -> Saved | Conflict | Tombstone | Missing:
        """Do as save.lua."""
        loaded = self.load(session.sid)
        if not isinstance(loaded, Stored):
            return loaded if isinstance(loaded, Tombstone) else Missing()
        if self.records[session.sid][2] == operation:
            return Saved(based_on + 1)
        if loaded.revision != based_on:
            return Conflict()
        self.records[session.sid] = (session, based_on + 1, operation)
        if session.user is not None:
            self._score(session)
        if event is not None:
            self.publish(event)
        return Saved(based_on + 1)

    def end_session(
        self,
        sid: str,
        user: str | None,
        end_id: str,
        reason: Reason,
        initiator: str,
        asked_at: float,
    ) -> Ended:
        """Do as end_session.lua."""
        loaded = self.load(sid)
        if isinstance(loaded, Tombstone) and loaded.end_id == end_id:
            return Ended((sid,), shard_of_sid(sid), self.listed(), durability=Durability.FSYNC)
        ended: tuple[str, ...] = ()
        if isinstance(loaded, Stored):
            self._bury(sid, Tombstone(end_id, reason, self.now()))
            ended = (sid,)
        self.index.get(user or "", {}).pop(sid, None)
        end = (end_id, initiator, reason, asked_at, user, shard_of_sid(sid), "", self.now())
        self.publish(SessionsEnded(Scope.SESSION, *end, (sid,)))
        earlier = loaded if isinstance(loaded, Tombstone) else None
        shard, fsync = shard_of_sid(sid), Durability.FSYNC
        return Ended(ended, shard, self.listed(), earlier, durability=fsync)

    def end_user(
        self,
        user: str,
        keep: str | None,
        end_id: str,
        reason: Reason,
        initiator: str,
        asked_at: float,
    ) -> Ended:
        """Do as end_user.lua."""
        if end_id not in self.completed_ends:
            indexed = self.index.get(user, {})
            own = (sid for sid in list(indexed) if sid != keep)
            sids = tuple(sid for sid in own if isinstance(self.load(sid), Stored))
            for sid in [sid for sid in list(indexed) if sid != keep]:
                del indexed[sid]
            for sid in sids:
                self._bury(sid, Tombstone(end_id, reason, self.now()))
            self.user_epochs[user], self.completed_ends[end_id] = end_id, sids
            end = (end_id, initiator, reason, asked_at, user, 0, keep or "", self.now())
            self.publish(SessionsEnded(Scope.USER, *end, sids))
        ended = self.completed_ends[end_id]
        return Ended(ended, 0, self.listed(), durability=Durability.FSYNC)

    def end_shard(
        self, shard: int, end_id: str, reason: Reason, initiator: str, asked_at: float
    ) -> Ended:
        """Do as end_shard.lua."""
        if end_id not in self.completed_ends:
            self.completed_ends[end_id] = ()
            for sid, (session, _, _) in self.records.items():
                if shard_of_sid(sid) == shard and not self._ended_by_epoch(session):
                    self.on_end(sid)
            self.shard_ends[shard] = Tombstone(end_id, reason, self.now())
            end = (end_id, initiator, reason, asked_at, None, shard, "", self.now())
            self.publish(SessionsEnded(Scope.SHARD, *end, (EVERYTHING,)))
        return Ended((), shard, self.listed(), durability=Durability.FSYNC)

    def sweep_shard(self, shard: int) -> int:
        """Do as sweep.lua, over all records."""
        over = [
            session
            for session, _, _ in self.records.values()
            if shard_of_sid(session.sid) == shard and self._ended_by_epoch(session)
        ]
        for session in over:
            self._bury(session.sid, self.shard_ends[shard])
        return len(over)

    def list_user(self, user: str) -> Sequence[ListedSession]:
        """Do as list_user.lua."""
        indexed, live = self.index.get(user, {}), self.nodes
        for sid in [sid for sid in indexed if sid not in self.records]:
            del indexed[sid]
        found = [(sid, self.load(sid)) for sid in indexed]
        counts = self.sockets.get(user, {})
        return [
            ListedSession(
                stored.session,
                sum(n for (each, node), n in counts.items() if each == sid and node in live),
            )
            for sid, stored in found
            if isinstance(stored, Stored)
            and not deadlines(stored.session, self.rules).timeout_at(self.now())
        ]

    def count_sockets(self, user: str, sid: str, node: str, count: int) -> None:
        """Do as count_sockets.lua."""
        counts = self.sockets.setdefault(user, {})
        if count and sid in self.records:
            counts[sid, node] = count
        else:
            counts.pop((sid, node), None)
        self.publish(SessionsChanged(user))

    def renew(self, node: str, number: int | None = None) -> Sequence[Mapping[str, ListedNode]]:
        """Do as renew_lease.lua."""
        latest, began = self.renewals.get(node, (0, 0))
        number = number or latest + 1
        began = began or self.dropped.pop(node, number)
        self.renewals[node] = max(latest, number), began
        self.nodes[node] = self.now() + self.lease
        return [self.listed()] * self.shards

    def listed(self) -> Mapping[str, ListedNode]:
        """Do as list_nodes.lua."""
        return {
            node: ListedNode(
                f"{ends_at:.6f} {self.renewals[node][0]}", self.lease, self.renewals[node][1]
            )
            for node, ends_at in self.nodes.items()
        }

    def drop(self, node: str, listed: ListedNode | None = None) -> ListedNode | None:
        """Do as drop_node.lua; without an entry, remove the node whatever its entry is."""
        found = self.listed().get(node)
        if found is not None and listed in (None, found):
            _, self.dropped[node] = self.renewals.pop(node)
            del self.nodes[node]
        return found

    def tail(self, node: str) -> Positions:
        """Return the ends of the streams that a node follows."""
        return {
            "control": self.control.end,
            "messages": self.messages.end,
            "replies": self._replies(node).end,
        }

    def has_news(self, node: str, positions: Positions) -> bool:
        """Return whether a blocking read would be answered at once."""
        return any(stream.after(positions[name]) for name, stream in self._followed(node))

    def read(self, node: str, positions: Positions) -> Batch:
        """Read the streams once."""
        events: list[Event] = []
        acknowledgements: list[Acknowledgement] = []
        after, is_last = dict(positions), True
        replaced = self.replaced(node, positions)
        for name, stream in self._followed(node):
            if name in replaced:
                after[name], is_last = Position("0-0", 0), False
                continue
            entries = stream.after(positions[name])
            for number, entry in entries:
                after[name] = Position(format_id(number), positions[name].count + len(entries))
                if isinstance(entry, Acknowledgement):
                    acknowledgements.append(entry)
                else:
                    events.append(entry)  # type: ignore[arg-type]
            is_last = is_last and len(entries) < ENTRIES_PER_READ
        lost = self.control.has_lost(positions["control"])
        return Batch(events, acknowledgements, after, is_last, lost)

    def replaced(self, node: str, positions: Positions) -> list[str]:
        """Return the streams that are read from their beginning again."""
        return [
            name
            for name, stream in self._followed(node)
            if name != "control" and stream.is_another(positions[name])
        ]

    def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """Append to the reply stream of the initiator."""
        replies = self._replies(initiator)
        replies.append(acknowledgement)
        replies.expires_at = self.now() + REPLIES_TTL.total_seconds()
        self._wake()

    def send(self, message: MessageSent) -> None:
        """Append to the message stream."""
        self.messages.append(message)
        self._wake()

    def publish(self, event: Event) -> None:
        """Append to the control stream."""
        self.control.append(event)
        self._wake()

    def _followed(self, node: str) -> list[tuple[str, Stream]]:
        return [
            ("control", self.control),
            ("messages", self.messages),
            ("replies", self._replies(node)),
        ]

    def _replies(self, node: str) -> Stream:
        found = self.replies.get(node)
        if found is None or found.expires_at <= self.now():
            found = self.replies[node] = Stream(self.now)
        return found

    def _wake(self) -> None:
        for future in self.waiting:
            if not future.done():
                future.set_result(None)
        self.waiting.clear()

    def _epoch(self, shard: int) -> str:
        end = self.shard_ends.get(shard)
        return end.end_id if end else ""

    def _ended_by_epoch(self, session: Session) -> Tombstone | None:
        shard = shard_of_sid(session.sid)
        return self.shard_ends[shard] if session.epoch != self._epoch(shard) else None

    def _bury(self, sid: str, tombstone: Tombstone) -> None:
        self.on_end(sid)
        self.records.pop(sid, None)
        self.tombstones[sid] = tombstone

    def _score(self, session: Session) -> None:
        expires_at = deadlines(session, self.rules).expires_at
        self.index.setdefault(session.user or "", {})[session.sid] = expires_at

    def _make_room(
        self, session: Session, end_id: str, initiator: str, asked_at: float
    ) -> tuple[str, ...]:
        indexed = self.index.setdefault(session.user or "", {})
        for sid in [sid for sid in indexed if not isinstance(self.load(sid), Stored)]:
            del indexed[sid]
        live = [sid for sid, expires_at in indexed.items() if expires_at > self.now()]
        excess = len(live) - self.rules.max_sessions_per_user + 1
        evicted = tuple(sorted(live, key=lambda sid: (indexed[sid], sid))[: max(0, excess)])
        for sid in evicted:
            del indexed[sid]
            self._bury(sid, Tombstone(end_id, Reason.SESSION_LIMIT, self.now()))
        if evicted:
            shard, reason = shard_of_sid(session.sid), Reason.SESSION_LIMIT
            end = (
                end_id,
                initiator,
                reason,
                asked_at,
                session.user,
                shard,
                session.sid,
                self.now(),
            )
            self.publish(SessionsEnded(Scope.LIMIT, *end, evicted))
        return evicted
