"""The key witness: sealed notes in the store that open only under keys that fit the data there.

Records that do not open look like no records: people would hear that their password is wrong. So
the first process on a store leaves a note, sealed with its newest key and bound to its place, and
every later one must be able to open a note.

There is one note for each key that somebody writes with. A process whose newest key has none adds
it, and a server removes the notes of keys that no listed node writes with any more. So while keys
are changed on one server after the other, each finds a note that it can open; afterwards only the
keys in use fit, and not those that came before. A store without notes, from before there were any
or after all its data went, gets one, unless it has records and none of them opens.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from server.core.errors import ConfigurationError
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.connection import execute
from server.store.names import ShardNames
from server.store.openable_records import OpenableRecords
from server.store.replies import pairs
from server.store.scripts import Scripts

PURPOSE: Final = "key witness 1"
CONTENT: Final = b"curfew"
_VERSION: Final = re.compile(rb"\d{1,10}")
_NAME: Final = ShardNames(0).key_witness

Notes = Mapping[int, bytes]
"""The notes in the store, by the version of their key."""

WritingKeys = Callable[[], Awaitable[Collection[int] | None]]
"""Returns the versions of the keys that listed nodes write with; None if not all of them tell."""


@dataclass(frozen=True, slots=True)
class UnfitKeys:
    """The keys of this process do not open what is in the store.

    Attributes:
        versions: of the keys that the data is under, as far as it tells.
        ring: the versions of this process's keys, newest first.
    """

    versions: tuple[int, ...]
    ring: tuple[int, ...]

    def __str__(self) -> str:
        """Return what is wrong and what to do, in one line."""
        under = f"key {_listed(self.versions)}" if self.versions else "a key that is not known"
        return (
            f"The secret keys do not fit the store: its data is under {under}, and the keys here "
            f"are {_listed(self.ring)}. Bring back the keys that belong to the data "
            "(CURFEW_SECRET_KEYS_FILE or CURFEW_SECRET_KEYS); or give the data up: "
            "python run.py store start-over"
        )


class KeyWitness:
    """Compares the keys of this process with the notes in the store.

    Args:
        client: the store.
        scripts: runs `keep_witness`.
        keyring: the secret keys.
        sealer: seals with the newest of them, opens with all.
        records: opens records, for a store without notes.
        writing_keys: says whose notes must stay.
        tidies: whether to remove notes of keys that nobody writes with, as servers do.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        keyring: Keyring,
        sealer: Sealer,
        records: OpenableRecords,
        writing_keys: WritingKeys,
        *,
        tidies: bool,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._keyring = keyring
        self._sealer = sealer
        self._records = records
        self._writing_keys = writing_keys
        self._tidies = tidies

    @property
    def _ring(self) -> tuple[int, ...]:
        return self._keyring.versions

    async def require(self) -> None:
        """Require keys that fit, and keep the notes up to date.

        Raises:
            ConfigurationError: they do not fit.
            StoreUnavailable: the store did not answer.
        """
        found = await self._read()
        if unfit := await self._judge(notes := _notes(found)):
            raise ConfigurationError(str(unfit))
        if self._opened(notes):
            await self._keep_up(notes)
            return
        if found:  # every note was edited, or is none of ours
            await execute("edited notes", lambda: self._client.hdel(_NAME, *found))
        now = await self._write(self._sealer, self._ring[0], first=True)
        if not self._opened(now):  # another process, with other keys, was first
            raise ConfigurationError(str(UnfitKeys(tuple(now), self._ring)))

    async def compare(self) -> UnfitKeys | None:
        """Return how the keys do not fit; None if they do. Write nothing.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return await self._judge(_notes(await self._read()))

    async def drop(self, version: int, sealer: Sealer, newest: int) -> None:
        """Remove the note of a key that is retired.

        Args:
            version: of that key.
            sealer: seals with the newest of the others.
            newest: its version.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        await self._write(sealer, newest, without=[version])

    async def start_over(self) -> None:
        """Leave one note only, under the newest key here.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        others = [version for version in _notes(await self._read()) if version != self._ring[0]]
        await self._write(self._sealer, self._ring[0], without=others)

    async def _judge(self, notes: Notes) -> UnfitKeys | None:
        if self._opened(notes):
            return None
        # A note that names a key of ours and does not open was edited: it is as good as none.
        if foreign := tuple(version for version in notes if version not in self._ring):
            return UnfitKeys(foreign, self._ring)
        found = await self._records.first_that_tells()
        if found is None or found.opens:
            return None
        return UnfitKeys(() if found.version is None else (found.version,), self._ring)

    async def _keep_up(self, notes: Notes) -> None:
        """Add the note of our newest key, and remove those of keys that nobody writes with."""
        newest, obsolete = self._ring[0], set[int]()
        writing = await self._writing_keys() if self._tidies and set(notes) - {newest} else None
        if writing is not None:
            obsolete = set(notes) - {newest} - set(writing)
        if obsolete or newest not in self._opened(notes):
            await self._write(self._sealer, newest, without=sorted(obsolete))

    def _opened(self, notes: Notes) -> list[int]:
        """Return the versions of the notes that open here."""
        return [
            version
            for version, note in notes.items()
            if self._sealer.open(note, purpose=PURPOSE, context=_context(version))
        ]

    async def _read(self) -> Mapping[bytes, bytes]:
        return dict(await execute("key witness", lambda: self._client.hgetall(_NAME)))

    async def _write(
        self, sealer: Sealer, newest: int, *, first: bool = False, without: Collection[int] = ()
    ) -> Notes:
        note = sealer.seal(CONTENT, purpose=PURPOSE, context=_context(newest))
        found = await self._scripts.run(
            "keep_witness", [_NAME], [int(first), newest, note, *without]
        )
        return _notes(dict(pairs(found)))


def _context(version: int) -> str:
    return f"{_NAME} {version}"


def _notes(found: Mapping[bytes, bytes]) -> Notes:
    """Return the notes; what is not the version of a key was not written by us."""
    return {int(each): note for each, note in found.items() if _VERSION.fullmatch(each)}


def _listed(versions: Collection[int]) -> str:
    return ", ".join(map(str, versions))
