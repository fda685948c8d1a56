"""A store in memory. Like a script, each operation takes no time.

It passes the same conformance suite as the real store. The delays, cuts and freezes between it and
a node are in `network.py`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from server.core.events import (
    EVERYTHING,
    Acknowledgement,
    Event,
    Message,
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
from tests.simulation.room_memory import RoomMemory
from tests.simulation.stream import ENTRIES_PER_READ, Stream, format_id


class Memory:
    """The state of a store, and what each script does to it.

    Args:
        now: the store's clock.
        rules: the durations in force.
        lease: of nodes, in seconds.
        shards: how many.

    Attributes:
        accounts: by user; a number that no other account ever had.
        made_under: the account that there was when a session was created; 0 for none.
        per_read: how many entries of each stream one read brings.
        earlier: the nodes that have an earlier version: they read no acknowledgements for all.
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
        self.accounts: dict[str, int] = {}
        self.made_under: dict[str, int] = {}
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
        self.acknowledgements = Stream(now)
        self.earlier: set[str] = set()
        self.per_read = ENTRIES_PER_READ
        self.waiting: list[asyncio.Future[None]] = []
        self.rooms = RoomMemory(lambda: self.nodes, self._wake, now)
        self.on_create: Callable[[str], object] = id
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

    def has(self, sid: str) -> bool:
        """Return whether there is anything of a session."""
        return sid in self.tombstones or sid in self.records

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
        self.made_under[sid] = self.accounts.get(session.user or "", 0)
        self.on_create(sid)
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

    def make_account(self, user: str, number: int) -> None:
        """Do as save_account.lua with a new account."""
        if user not in self.accounts:
            self.accounts[user] = number
            self.user_epochs[user] = f"made{number}"

    def end_account(
        self,
        user: str,
        made: int,
        end_id: str,
        reason: Reason,
        initiator: str,
        asked_at: float,
    ) -> Ended | Conflict:
        """Do as end_account.lua, which removes the account that was loaded."""
        if end_id not in self.completed_ends:
            if self.accounts.get(user, 0) != made:
                return Conflict()
            self.accounts.pop(user, None)
        return self.end_user(user, None, end_id, reason, initiator, asked_at)

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
        counts, record = self.sockets.setdefault(user, {}), self.records.get(sid)
        lives = record is not None and not self._ended_by_epoch(record[0])
        if count and lives:
            counts[sid, node] = count
        else:
            counts.pop((sid, node), None)
        if lives:
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
            "acknowledgements": Position("0-0", 0),
        }

    def has_news(self, node: str, positions: Positions, *, awaits: bool = True) -> bool:
        """Return whether a blocking read would be answered at once."""
        followed = self._followed(node, awaits=awaits)
        return any(stream.after(positions[name], 1) for name, stream in followed)

    def read(self, node: str, positions: Positions, *, awaits: bool = True) -> Batch:
        """Read the streams once; those of acknowledgements for all only if one is awaited."""
        events: list[Event] = []
        acknowledgements: list[Acknowledgement] = []
        after, is_last, has_more = dict(positions), True, False
        replaced = self.replaced(node, positions)
        for name, stream in self._followed(node, awaits=awaits):
            if name in replaced:
                after[name], is_last = Position("0-0", 0), False
                continue
            entries = stream.after(positions[name], self.per_read)
            for number, entry in entries:
                after[name] = Position(format_id(number), positions[name].count + len(entries))
                if isinstance(entry, Acknowledgement):
                    acknowledgements.append(entry)
                else:
                    events.append(entry)  # type: ignore[arg-type]
            if name == "acknowledgements":
                has_more = len(entries) >= self.per_read
            else:
                is_last = is_last and len(entries) < self.per_read
        lost = self.control.has_lost(positions["control"])
        return Batch(events, acknowledgements, after, is_last, lost, has_more=has_more)

    def replaced(self, node: str, positions: Positions) -> list[str]:
        """Return the streams that are read from their beginning again."""
        return [
            name
            for name, stream in self._followed(node)
            if name != "control" and stream.is_another(positions[name])
        ]

    def acknowledge(self, initiator: str | None, acknowledgement: Acknowledgement) -> None:
        """Append to the reply stream of the initiator, or to that for all initiators."""
        replies = self.together if initiator is None else self._replies(initiator)
        replies.append(acknowledgement)
        replies.expires_at = self.now() + REPLIES_TTL.total_seconds()
        self._wake()

    @property
    def together(self) -> Stream:
        """The stream of acknowledgements for all initiators."""
        if self.acknowledgements.expires_at <= self.now():
            self.acknowledgements = Stream(self.now)
        return self.acknowledgements

    def send(self, message: Message) -> None:
        """Append to the message stream."""
        self.messages.append(message)
        self._wake()

    def publish(self, event: Event) -> None:
        """Append to the control stream."""
        if isinstance(event, SessionsEnded):
            event = replace(event, is_heard_together=event.initiator not in self.earlier)
        self.control.append(event)
        self._wake()

    def _followed(self, node: str, *, awaits: bool = True) -> list[tuple[str, Stream]]:
        return [
            ("control", self.control),
            ("messages", self.messages),
            ("replies", self._replies(node)),
            *([("acknowledgements", self.together)] if awaits else []),
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
