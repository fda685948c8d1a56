"""The sessions whose ends an application has not been told of yet.

Each is noted before it is written, and taken off when the application was told of its end. So
none is forgotten, whatever stops in between: a node, all nodes, or the application itself. A claim
keeps two nodes from telling of the same end at once, and expires.

<prefix>ends    ids and users of sessions, scored by when to look next, in Unix ms
<prefix>used:…  the claims, as of everything that can be used once
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.token import shard_of_sid
from server.store.connection import execute
from server.store.names import ShardNames

CLAIM: Final = timedelta(minutes=1)
"""How long a node has to tell of an end. After that another one may."""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that has ended.

    Attributes:
        sid: its id.
        user: its owner; None for a visitor.
    """

    sid: str
    user: str | None


class SessionLedger:
    """Notes sessions, and claims their ends.

    Args:
        client: the store.
        shards: how many shards the store has.
        node: who claims.
    """

    def __init__(self, client: Redis, shards: int, node: str) -> None:
        self._client = client
        self._node = node
        self._shards = shards

    async def note(self, session: EndedSession, *, look_at: float) -> None:
        """Note a session, or move the moment of the next look at it.

        Args:
            session: the session, which may still live.
            look_at: when to look at it, in Unix seconds.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        member, score = _member(session), round(look_at * 1000)
        await execute("note", lambda: self._client.zadd(_key(session.sid), {member: score}))

    async def forget(self, session: EndedSession) -> None:
        """Take a session off.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await execute("forget", lambda: self._client.zrem(_key(session.sid), _member(session)))

    async def claim(self, session: EndedSession, *, retry_at: float) -> bool:
        """Claim to tell of an end; return whether this node is the one, and nobody has told.

        Args:
            session: the session.
            retry_at: when to look again if this node does not come so far, in Unix seconds.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        key = ShardNames.of_session(session.sid).used(f"end {session.sid}")
        first = await execute(
            "claim", lambda: self._client.set(key, self._node, nx=True, px=milliseconds(CLAIM))
        )
        if not first:
            return False
        moved = {_member(session): round(retry_at * 1000)}
        is_noted = await execute(
            "claim", lambda: self._client.zadd(_key(session.sid), moved, xx=True, ch=True)
        )
        return bool(is_noted)

    async def due(self, shard: int, until: float) -> AsyncIterator[Sequence[EndedSession]]:
        """Yield the sessions that should be looked at, page by page.

        None is left out because others are told of, forgotten or moved meanwhile.

        Args:
            shard: where they are.
            until: up to which moment, in Unix seconds.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        least: str | float = "-inf"
        passed = set[bytes]()
        while found := await self._page(shard, least, until, PAGE + len(passed)):
            page = [each for each in found if each[0] not in passed][:PAGE]
            if not page:
                return
            yield [_session(member.decode()) for member, _ in page]
            before, least = least, page[-1][1]
            passed = passed if before == least else set()
            passed |= {member for member, moment in page if moment == least}

    async def _page(
        self, shard: int, least: str | float, until: float, most: int
    ) -> Sequence[tuple[bytes, float]]:
        name, last = ShardNames(shard).unreported_ends, round(until * 1000)
        found: Sequence[tuple[bytes, float]] = await execute(
            "due",
            lambda: self._client.zrange(
                name, least, last, byscore=True, offset=0, num=most, withscores=True
            ),
        )
        return found

    @property
    def shards(self) -> range:
        """The shards."""
        return range(self._shards)


def _key(sid: str) -> str:
    return ShardNames(shard_of_sid(sid)).unreported_ends


def _member(session: EndedSession) -> str:
    return f"{session.sid} {session.user or ''}"  # neither has a blank


def _session(member: str) -> EndedSession:
    sid, _, user = member.partition(" ")
    return EndedSession(sid, user or None)
