"""Rooms in the store: each method is one script, except for the index of a member's rooms."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

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
from server.store.connection import execute, values_of
from server.store.names import ShardNames
from server.store.replies import pairs
from server.store.room_contract import Acknowledged, Kept, Sent, Turn
from server.store.room_inbox import RoomInbox
from server.store.scripts import Scripts

UNKNOWN: Final = b"unknown"
ANOTHER_LIFE: Final = b"another"
INBOX_MS: Final = 3_600_000
"""How long an inbox is kept in which nothing happens."""
KEPT_BYTES: Final = 512 * 1024
"""Of kept messages in one answer."""
_ADDED: Final = {
    b"added": None,
    b"removed": RemovedMeanwhile(),
    b"full": RoomRefusal.TOO_MANY_MEMBERS,
    UNKNOWN: RoomRefusal.UNKNOWN,
}
_NOT_ADMITTED: Final[dict[bytes, RemovedMeanwhile | Overtaken | RoomRefusal]] = {
    b"removed": RemovedMeanwhile(),
    b"overtaken": Overtaken(),
    UNKNOWN: RoomRefusal.UNKNOWN,
}


class RedisRoomStore:
    """Implements `RoomStore`.

    Args:
        client: the store.
        scripts: runs the scripts `room_…`.
        inboxes: read what happens in the rooms of this node's sockets.
        shards: how many shards the store has.

    Attributes:
        inboxes: the same.
    """

    def __init__(
        self, client: Redis, scripts: Scripts, inboxes: Sequence[RoomInbox], shards: int
    ) -> None:
        self._client = client
        self._scripts = scripts
        self.inboxes = inboxes
        self._shards = [ShardNames(shard) for shard in range(shards)]

    async def create(self, name: str, epoch: str, options: RoomOptions) -> RoomRefusal | None:
        names, presence = self._names(name), "1" if options.presence else ""
        most = max(1, MAX_ROOMS // len(self._shards))
        args: list[str | int] = [name, epoch, presence, options.kept, options.kept_ms, most]
        keys = [self._key(name), names.rooms]
        reply = await self._scripts.run("room_create", keys, args)
        return RoomRefusal.TOO_MANY_ROOMS if reply == b"full" else None

    async def delete(self, name: str) -> RoomRefusal | None:
        room = await self._room(name)
        if not room:
            return RoomRefusal.UNKNOWN
        keys = [self._key(name), self._names(name).rooms]
        await self._scripts.run("room_delete", keys, [name, room[b"epoch"]])
        return None

    async def add(
        self, name: str, user: str, sid: str, lapses_in_ms: int, removals: int
    ) -> RemovedMeanwhile | RoomRefusal | None:
        if not await self._note(name, user, sid, lapses_in_ms, removals):
            return RoomRefusal.TOO_MANY_ROOMS
        reply = await self._scripts.run(
            "room_add", [self._key(name)], [user, sid, lapses_in_ms, MAX_MEMBERS, removals]
        )
        return _ADDED[reply]

    async def _note(self, name: str, user: str, sid: str, lapses_in_ms: int, removals: int) -> bool:
        """Note that a member is in a room; return whether it may be in so many."""
        index = self._index(user, sid)
        args: list[str | int] = [name, MAX_ROOMS_OF_MEMBER, lapses_in_ms, removals]
        for last in (False, True):
            if await self._scripts.run("room_index", [index], args) != b"full":
                return True
            if last or not await self._forget_deleted(index):
                break
        return False

    async def _forget_deleted(self, index: str) -> bool:
        """Take rooms that were deleted off the list of a member's; return whether there were."""
        names = await execute("rooms", partial(self._client.zrange, index, 0, -1))
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.exists(self._key(name.decode()))
        found = await execute("rooms", partial(values_of, pipeline))
        gone = [name for name, there in zip(names, found, strict=True) if there == 0]
        if gone:
            await execute("forget rooms", partial(self._client.zrem, index, *gone))
        return bool(gone)

    async def remove(self, name: str, user: str, sid: str) -> RoomRefusal | None:
        reply: Any = ANOTHER_LIFE
        while reply == ANOTHER_LIFE:  # somebody deletes it and makes it again right now
            room = await self._room(name)
            args: list[str | bytes] = [user, sid, room.get(b"epoch", b"")]
            reply = await self._scripts.run("room_remove", [self._key(name)], args, must_count=True)
        if reply == UNKNOWN:
            return RoomRefusal.UNKNOWN
        removals, *sids = reply
        for each in dict.fromkeys([sid, *(each.decode() for each in sids)]):
            await self._scripts.run("room_forget", [self._index(user, each)], [name, removals])
        return None

    async def rooms_of(self, members: Sequence[Member]) -> Sequence[Sequence[str]]:
        pipeline = self._client.pipeline(transaction=False)
        for member in members:
            if member.user:
                pipeline.zrange(self._index(member.user, ""), 0, -1)
            pipeline.zrange(self._index(member.user, member.sid), 0, -1)
        replies = iter(await execute("rooms of members", partial(values_of, pipeline)))
        return [
            sorted(
                {name.decode() for _ in range(2 if member.user else 1) for name in next(replies)}
            )
            for member in members
        ]

    async def removals(self, name: str) -> int | RoomRefusal:
        found = await self._room(name)
        return int(found[b"removals"]) if found else RoomRefusal.UNKNOWN

    async def enter(
        self,
        name: str,
        turn: Turn,
        mode: EntryMode,
        members: Mapping[Member, int],
        removals: int = 0,
    ) -> Admitted | RemovedMeanwhile | Overtaken | RoomRefusal:
        args: list[str | int] = [turn.node, turn.number, mode.value, removals, *_counts(members)]
        reply = await self._scripts.run("room_enter", [self._key(name)], args)
        if isinstance(reply, bytes):
            return _NOT_ADMITTED[reply]
        history, epoch, number, messages, listened, *is_in = reply
        verdicts = tuple(each == b"1" for each in is_in)
        return Admitted(
            history=history.decode(),
            epoch=epoch.decode(),
            number=int(number),
            messages=int(messages),
            is_in=verdicts,
            listened=listened == b"1",
        )

    async def count(
        self, name: str, turn: Turn, members: Mapping[Member, int], *, listens: bool
    ) -> bool:
        args: list[str | int] = [turn.node, turn.number, "1" if listens else "0", *_counts(members)]
        reply: bytes = await self._scripts.run("room_count", [self._key(name)], args)
        return reply == b"1"

    async def publish(self, name: str, box: bytes, mark: str, publisher: str) -> Sent | RoomRefusal:
        args: list[str | bytes] = [box, mark, publisher]
        reply = await self._scripts.run("room_publish", [self._key(name)], args, once=True)
        if reply == UNKNOWN:
            return RoomRefusal.UNKNOWN
        history, epoch, message, nodes = reply
        told = [each.decode() for each in nodes]
        return Sent(history.decode(), epoch.decode(), int(message), told)

    async def kept(self, name: str, after: int) -> Kept | RoomRefusal:
        reply = await self._scripts.run("room_kept", [self._key(name)], [after, KEPT_BYTES])
        if reply == UNKNOWN:
            return RoomRefusal.UNKNOWN
        history, epoch, latest, *flat = reply
        messages = [(int(number), box) for number, box in pairs(flat)]
        return Kept(history.decode(), epoch.decode(), int(latest), messages)

    async def present(self, name: str) -> Sequence[Present] | RoomRefusal:
        names = self._names(name)
        keys = [self._key(name), names.nodes]
        reply = await self._scripts.run("room_present", keys, [])
        if reply == UNKNOWN:
            return RoomRefusal.UNKNOWN
        return [_present(person.decode(), int(sockets)) for person, sockets in pairs(reply)]

    async def acknowledge(self, name: str, node: str, acknowledged: Acknowledged) -> None:
        sent = "" if acknowledged.sent is None else acknowledged.sent
        sockets = " ".join(acknowledged.connections)
        args: list[str | int] = [acknowledged.mark, sockets, INBOX_MS, acknowledged.node, sent]
        await self._scripts.run("room_acknowledge", [self._names(name).inbox(node)], args)

    async def ghosts(self, confirmed: Collection[str]) -> Collection[str]:
        found: set[str] = set()
        for names in self._shards:
            keys = [names.room_nodes, names.nodes]
            for node in await self._scripts.run("room_ghosts", keys, []):
                if node.decode() not in confirmed or not await self._bury(names, node.decode()):
                    found.add(node.decode())
        return found

    async def _bury(self, names: ShardNames, node: str) -> bool:
        """Forget a node that is gone in all rooms of a shard; return whether it is forgotten."""
        index = names.rooms_of_node(node)
        for digest in await execute("bury", partial(self._client.zrange, index, 0, -1)):
            keys = [names.room_at(digest.decode()), names.nodes]
            await self._scripts.run("room_bury", keys, [node])
        if await execute("bury", partial(self._client.zrange, index, 0, 0)):
            return False
        await execute("bury", partial(self._client.zrem, names.room_nodes, node))
        await execute("bury", partial(self._client.delete, names.inbox(node)))
        if await execute("bury", partial(self._client.zrange, index, 0, 0)):  # it came back
            await execute("bury", partial(self._client.zadd, names.room_nodes, {node: 0}))
            return False
        return True

    async def _room(self, name: str) -> Mapping[bytes, bytes]:
        """Return the hash of a room; empty if there is none."""
        found: Mapping[bytes, bytes] = await execute(
            "room", partial(self._client.hgetall, self._key(name))
        )
        return found

    def _key(self, name: str) -> str:
        return self._names(name).room_at(digest_of(name))

    def _names(self, name: str) -> ShardNames:
        return ShardNames.of_room(digest_of(name), len(self._shards))

    def _index(self, user: str, sid: str) -> str:
        if sid:
            return ShardNames.of_session(sid).rooms_of(f"s:{sid}")
        return ShardNames.of_user(user, len(self._shards)).rooms_of(f"u:{user}")


def _counts(members: Mapping[Member, int]) -> list[str | int]:
    return [part for each, count in members.items() for part in (each.user, each.sid, count)]


def _present(person: str, sockets: int) -> Present:
    kind, _, name = person.partition(" ")
    return Present(name, "", sockets) if kind == "u" else Present(None, name, sockets)
