"""The names of the store's keys.

Every key that one script touches carries the hash tag of the same shard, so that the script runs on
a single Redis and on a Cluster alike.
"""

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property

from server.core.token import shard_of_sid


@dataclass(frozen=True)
class ShardNames:
    """The names of one shard's keys.

    Args:
        shard: 0 to 99.
    """

    shard: int

    @classmethod
    def of_user(cls, user: str, shards: int) -> "ShardNames":
        """Return the names in the shard of a user.

        Args:
            user: canonical user name.
            shards: how many shards the store has.
        """
        return cls(shard_of_user(user, shards))

    @classmethod
    def of_session(cls, sid: str) -> "ShardNames":
        """Return the names in the shard of a session."""
        return _of_shard(shard_of_sid(sid))

    @cached_property
    def prefix(self) -> str:
        """How all names of the shard begin."""
        return f"curfew:{{{self.shard:02d}}}:"

    def session(self, sid: str) -> str:
        """Return the key of the sealed record of a session."""
        return f"{self.prefix}session:{sid}"

    def tombstone(self, sid: str) -> str:
        """Return the key of the id, reason and time of a session's end."""
        return f"{self.prefix}ended:{sid}"

    def index(self, user: str) -> str:
        """Return the key of the ids of the user's sessions, scored by when each expires."""
        return f"{self.prefix}user:{user}"

    def user_epoch(self, user: str) -> str:
        """Return the key of the id of the latest end of all the user's sessions."""
        return f"{self.prefix}epoch:{user}"

    def completed_end(self, end_id: str) -> str:
        """Return the key of the note that an end of many sessions was carried out."""
        return f"{self.prefix}done:{end_id}"

    def end_of_user(self, user: str, end_id: str) -> list[str]:
        """Return the keys with which every script begins that includes `parts/end_user.lua`."""
        keys = [self.index(user), self.user_epoch(user), self.control, self.nodes]
        return [*keys, self.completed_end(end_id), self.epoch, self.renewals]

    def sockets(self, user: str) -> str:
        """Return the key of the numbers of sockets, by node and by session of the user."""
        return f"{self.prefix}sockets:{user}"

    def account(self, user: str) -> str:
        """Return the key of the sealed account."""
        return f"{self.prefix}account:{user}"

    @property
    def accounts(self) -> str:
        """The names of all accounts in the shard, in the order of their bytes."""
        return f"{self.prefix}accounts"

    def removed(self, user: str) -> str:
        """Return the key of the last revision of an account that was removed."""
        return f"{self.prefix}removed:{user}"

    def look(self, digest: str) -> str:
        """Return the key of who has a name that looks so, which is hashed."""
        return f"{self.prefix}look:{digest}"

    @property
    def room(self) -> str:
        """A key that never exists: to write to it asks whether there is room for new keys."""
        return f"{self.prefix}room"

    def tries(self, kind: str, digest: str) -> str:
        """Return the key of a counter of tries. The name of what it counts is hashed."""
        return f"{self.prefix}tries:{kind}:{digest}"

    def familiar(self, digest: str) -> str:
        """Return the key that marks an address from which an account signed in, both hashed."""
        return f"{self.prefix}familiar:{digest}"

    def forgotten(self, digest: str) -> str:
        """Return the key of when all that an account's tries had left was forgotten, hashed."""
        return f"{self.prefix}forgotten:{digest}"

    def activity(self, user: str) -> str:
        """Return the key of the sealed list of an account's recent activity."""
        return f"{self.prefix}activity:{user}"

    def handle(self, handle: str) -> str:
        """Return the key of the name of the user that authenticators know by this handle."""
        return f"{self.prefix}handle:{handle}"

    def used(self, identifier: str) -> str:
        """Return the key of the note that something which can be used once was used."""
        return f"{self.prefix}used:{identifier}"

    @property
    def epoch(self) -> str:
        """The id, reason and time of the latest end of everything in the shard."""
        return f"{self.prefix}epoch"

    @property
    def unreported_ends(self) -> str:
        """The sessions whose ends an application has not been told of."""
        return f"{self.prefix}ends"

    @property
    def control(self) -> str:
        """The control stream."""
        return f"{self.prefix}control"

    @property
    def messages(self) -> str:
        """The stream of messages between sockets. Its floods do not trim the control stream."""
        return f"{self.prefix}messages"

    @property
    def nodes(self) -> str:
        """The listed nodes, scored by when each lease ends on the store's clock."""
        return f"{self.prefix}nodes"

    @property
    def renewals(self) -> str:
        """The number of each listed node's latest renewal, its lease, and its first number."""
        return f"{self.prefix}renewals"

    def dropped(self, node: str) -> str:
        """Return the key of where the entry of a node began that was dropped from the list."""
        return f"{self.prefix}dropped:{node}"

    def key_versions(self, node: str) -> str:
        """Return the key of the versions of the secret keys that a node has."""
        return f"{self.prefix}ring:{node}"

    def signing_key(self, version: int) -> str:
        """Return the key of the note that cookies signed with this key may be in use."""
        return f"{self.prefix}signing:{version}"

    @property
    def administrators(self) -> str:
        """The names of accounts that were made administrators; the accounts decide."""
        return f"{self.prefix}administrators"

    @property
    def listed(self) -> str:
        """The note that every account's name was listed by an index of this version."""
        return f"{self.prefix}listed"

    def remembering_key(self, version: int) -> str:
        """Return the key of the note that such cookies of remembered people may be in use."""
        return f"{self.prefix}remembering:{version}"

    @property
    def key_witness(self) -> str:
        """The sealed note that opens only under the keys of the store's data."""
        return f"{self.prefix}witness"

    @property
    def rules(self) -> str:
        """The session rules of each listed node."""
        return f"{self.prefix}rules"

    @classmethod
    def of_room(cls, digest: str, shards: int) -> "ShardNames":
        """Return the names in the shard of a room.

        Args:
            digest: of the room's name, in hexadecimal digits.
            shards: how many shards the store has.
        """
        return _of_shard(int(digest[:16], 16) % shards)

    def room_at(self, digest: str) -> str:
        """Return the key of a room; `parts/rooms.lua` says which others begin with it."""
        return f"{self.prefix}room:{digest}"

    @property
    def rooms(self) -> str:
        """The names of the shard's rooms."""
        return f"{self.prefix}rooms"

    def rooms_of(self, member: str) -> str:
        """Return the key of the names of the rooms to which a user or session was added."""
        return f"{self.prefix}roomsof:{member}"

    def inbox(self, node: str) -> str:
        """Return the key of the stream of what happens in the rooms that a node is in."""
        return f"{self.prefix}inbox:{node}"

    @property
    def room_nodes(self) -> str:
        """The nodes that are in rooms of the shard."""
        return f"{self.prefix}roomnodes"

    def rooms_of_node(self, node: str) -> str:
        """Return the key of the digests of the rooms that a node is in."""
        return f"{self.prefix}noderooms:{node}"

    def replies(self, node: str) -> str:
        """Return the key of the stream of acknowledgements of the ends that a node asked for."""
        return f"{self.prefix}replies:{node}"

    @property
    def acknowledgements(self) -> str:
        """The stream of acknowledgements for all initiators together."""
        return f"{self.prefix}acks"


@cache
def _of_shard(shard: int) -> ShardNames:
    """Return the names of a shard, of which there are 100 at most."""
    return ShardNames(shard)


SHARD_COUNT = ShardNames(0).prefix + "shards"
"""The number of shards that the store was laid out for; a user's shard depends on it."""


def shard_of_user(user: str, shards: int) -> int:
    """Return the shard that holds everything of one user."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) % shards


def probe_beside(key: str | bytes) -> str:
    """Return the key of a write that asks a question, in the shard of another key."""
    text = key if isinstance(key, str) else key.decode(errors="replace")
    return f"{text.partition('}')[0]}}}:shards:probe"
