"""How much visitors without an account may keep in the store. Anybody can be one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.core import strict_json
from server.core.session import Json

BYTES_BESIDE_DATA: Final = 1024
"""What a session without data takes in the store, at most: its record and the notes of it."""


@dataclass(frozen=True, slots=True)
class VisitorLimits:
    """The limits on sessions of visitors, and on their bytes.

    Attributes:
        sessions_per_address: of one address; for IPv6, of one /64.
        bytes_per_address: likewise. As many may be written in a minute.
        sessions_in_all: of all addresses together.
        bytes_in_all: likewise.
    """

    sessions_per_address: int = 1000
    bytes_per_address: int = 8 * 2**20
    sessions_in_all: int = 50_000
    bytes_in_all: int = 64 * 2**20

    def of_shard(self, shards: int) -> "VisitorLimits":
        """Return the limits for one shard. What one address keeps is all in one shard."""
        return VisitorLimits(
            self.sessions_per_address,
            self.bytes_per_address,
            max(self.sessions_per_address, self.sessions_in_all // shards),
            max(self.bytes_per_address, self.bytes_in_all // shards),
        )


VISITOR_LIMITS: Final = VisitorLimits()


def bytes_of(data: Mapping[str, Json]) -> int:
    """Return how many bytes a visitor's session with this data takes in the store."""
    return BYTES_BESIDE_DATA + len(strict_json.encode(data))
