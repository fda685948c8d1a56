"""Which of the sealed records in the store open under the keys of this process."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from redis.asyncio import Redis

from server.crypto.sealer import Sealer, version_of_box
from server.store.accounts import account_codec
from server.store.activity import activity_codec
from server.store.codec import SessionCodec
from server.store.connection import execute
from server.store.contract import Unreadable
from server.store.documents import UnreadableDocument
from server.store.names import ShardNames
from server.store.scanning import scan
from server.store.sealed_records import RECORDS_PER_COMMAND

SAMPLE: Final = 200
"""So many records that do not open, and none that does, are no accident."""

Decode = Callable[[bytes, str], object]
"""Returns what is in a value that belongs to a name; `Unreadable…` if it does not open."""


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A sealed record.

    Attributes:
        key: its key in the store.
        kind: `account`, `session` or `activity`.
        name: the user's name or the session's id.
        opens: whether it opens here.
        version: of the key that it says it is sealed under; None if it is no box of ours.
    """

    key: bytes
    kind: str
    name: str
    opens: bool
    version: int | None


class OpenableRecords:
    """Tries to open the records in the store, and removes those that do not open.

    Args:
        client: the store.
        sealer: opens with all keys of this process.
        shards: how many shards the store has.
    """

    def __init__(self, client: Redis, sealer: Sealer, shards: int) -> None:
        self._client = client
        self._decoders: Mapping[str, Decode] = {
            "account": account_codec(sealer).decode,
            "session": SessionCodec(sealer).decode,
            "activity": activity_codec(sealer).decode,
        }
        self._shards = shards

    async def all(self) -> AsyncIterator[FoundRecord]:
        """Yield all records, accounts first: they stay, so there are some if there is anything.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        for kind, decode in self._decoders.items():
            for shard in range(self._shards):
                prefix = f"{ShardNames(shard).prefix}{kind}:"
                async for keys in scan(self._client, prefix + "*"):
                    for start in range(0, len(keys), RECORDS_PER_COMMAND):
                        part = keys[start : start + RECORDS_PER_COMMAND]
                        for each in await self._look(part, kind, prefix, decode):
                            yield each

    async def first_that_tells(self) -> FoundRecord | None:
        """Return a record that opens; if none of the first `SAMPLE` does, one that does not.

        Returns:
            None if there are no records.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        closed, number = None, 0
        async for each in self.all():
            if each.opens or number == SAMPLE:
                return each if each.opens else closed
            closed, number = closed or each, number + 1
        return closed

    async def counts(self) -> Counter[tuple[str, bool]]:
        """Return how many records there are, by their kind and by whether they open.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return Counter([(each.kind, each.opens) async for each in self.all()])

    async def remove_closed(self) -> None:
        """Remove the records that do not open, and what leads to an account among them.

        Raises:
            StoreUnavailable: the store did not answer; some may be removed. Doing it again is safe.
        """
        users: set[str] = set()
        async for each in self.all():
            if not each.opens:
                await execute("remove record", partial(self._client.delete, each.key))
                users |= {each.name} if each.kind == "account" else set()
        for shard in range(self._shards):
            async for keys in scan(self._client, ShardNames(shard).handle("*")):
                found = await execute("read handles", partial(self._client.mget, keys))
                for key, user in zip(keys, found, strict=True):
                    if user is not None and user.decode(errors="replace") in users:
                        await execute("remove handle", partial(self._client.delete, key))

    async def _look(
        self, keys: Sequence[bytes], kind: str, prefix: str, decode: Decode
    ) -> list[FoundRecord]:
        values = await execute("read records", lambda: self._client.mget(keys))
        found = []
        for key, value in zip(keys, values, strict=True):
            if value is None:
                continue
            name = key.decode(errors="replace")[len(prefix) :]
            opens = not isinstance(decode(value, name), Unreadable | UnreadableDocument)
            version = version_of_box(value.partition(b"\n")[2])
            found.append(FoundRecord(key, kind, name, opens, version))
        return found
