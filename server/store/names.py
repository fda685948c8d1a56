"""Key names.

Every key of a transition carries the hash tag of one shard, so that each script runs on one Redis
and on a Cluster alike.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShardNames:
    """The names of one shard's keys.

    Args:
        shard: 0 to 99.
    """

    shard: int

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        return f"curfew:{{{self.shard:02d}}}:"

    def session(self, sid: str) -> str:
        """The sealed record."""
        return f"{self.prefix}session:{sid}"

    def ended(self, sid: str) -> str:
        """The tombstone: event, reason and time of the end."""
        return f"{self.prefix}ended:{sid}"

    def index(self, user: str) -> str:
        """The user's session ids, scored by when each expires."""
        return f"{self.prefix}user:{user}"

    def user_epoch(self, user: str) -> str:
        """The latest end of all the user's sessions."""
        return f"{self.prefix}epoch:{user}"

    def carried_out(self, end_id: str) -> str:
        """The memory of an end of many sessions."""
        return f"{self.prefix}done:{end_id}"

    def sockets(self, user: str) -> str:
        """How many sockets each node holds of each of the user's sessions."""
        return f"{self.prefix}sockets:{user}"

    def account(self, user: str) -> str:
        """The sealed account."""
        return f"{self.prefix}account:{user}"

    def tries(self, kind: str, digest: str) -> str:
        """A counter of tries; what it counts is hashed."""
        return f"{self.prefix}tries:{kind}:{digest}"

    def familiar(self, digest: str) -> str:
        """The mark of an address that an account signed in from."""
        return f"{self.prefix}familiar:{digest}"

    def activity(self, user: str) -> str:
        """The sealed list of what happened to the account lately."""
        return f"{self.prefix}activity:{user}"

    def handle(self, handle: str) -> str:
        """The user whom authenticators know by this handle."""
        return f"{self.prefix}handle:{handle}"

    def used(self, identifier: str) -> str:
        """The memory of something that can be used once."""
        return f"{self.prefix}used:{identifier}"

    @property
    def epoch(self) -> str:
        """The latest end of everything in the shard."""
        return f"{self.prefix}epoch"

    @property
    def control(self) -> str:
        """The control stream."""
        return f"{self.prefix}control"

    @property
    def messages(self) -> str:
        """The stream of messages between sockets, apart so that no flood trims the control one."""
        return f"{self.prefix}messages"

    @property
    def nodes(self) -> str:
        """The listed nodes, scored by when each one's lease ends."""
        return f"{self.prefix}nodes"

    def ring(self, node: str) -> str:
        """The versions of the keys that `node` has."""
        return f"{self.prefix}ring:{node}"

    def signing(self, version: int) -> str:
        """There as long as a cookie under this key may live."""
        return f"{self.prefix}signing:{version}"

    def replies(self, node: str) -> str:
        """The stream on which `node` hears who acknowledged its terminations."""
        return f"{self.prefix}replies:{node}"


SHARD_COUNT = ShardNames(0).prefix + "shards"
"""How many shards this store was laid out for; a user's shard depends on it."""


def shard_of_user(user: str, shards: int) -> int:
    """The shard that holds everything of one user."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) % shards
