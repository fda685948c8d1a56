"""Which secret keys the running servers have and sign with, noted in the store.

A key may be retired when nothing is under it any more. Records can be counted; cookies are in
browsers. So a server notes every few seconds which key it signs with, and the note lasts as long as
the last cookie that it can have signed. A note holds versions of keys, which reveal nothing of the
keys.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from redis.asyncio import Redis

from server.core.durations import milliseconds
from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.store.connection import execute
from server.store.names import ShardNames
from server.store.scripts import Scripts

INTERVAL: Final = timedelta(seconds=10)
VERSIONS_KEPT: Final = 3 * INTERVAL
"""The note of a server that died expires by itself."""
_NAMES: Final = ShardNames(0)


class KeyUse:
    """Notes which keys this server uses, and reads the notes of all servers.

    Args:
        client: the store.
        scripts: runs `note_key`.
        node: this node's id.
        keyring: this node's keys.
        cookie_lifetime: how long a cookie can be of use.
        remembered_lifetime: likewise, the cookie of a person who chose to be remembered.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        node: str,
        keyring: Keyring,
        cookie_lifetime: timedelta,
        remembered_lifetime: timedelta = timedelta(),
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._node = node
        self._keyring = keyring
        self._cookie_lifetime = cookie_lifetime
        self._remembered_lifetime = remembered_lifetime
        self._remembering: set[int] = set()
        """Versions of the keys of cookies that the next publication is about."""

    def remembered(self) -> None:
        """Note with the next publication that a cookie was signed for a person who is remembered.

        A key that is retired before signs such a person out, and no more.
        """
        self._remembering.add(self._keyring.versions[0])

    async def publish(self) -> None:
        """Note which keys this node has, and that it signs with the newest.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        versions = self._keyring.versions
        listed = " ".join(map(str, versions))
        await self._set(_NAMES.key_versions(self._node), listed, VERSIONS_KEPT)
        kept = self._cookie_lifetime + VERSIONS_KEPT
        await self._set(_NAMES.signing_key(versions[0]), "", kept)
        kept = self._remembered_lifetime + VERSIONS_KEPT
        for version in tuple(self._remembering):
            await self._set(_NAMES.remembering_key(version), "", kept)
            self._remembering.discard(version)  # not before it is noted

    async def run(self) -> None:
        """Publish every ten seconds until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL.total_seconds())
            try:
                await self.publish()
            except StoreUnavailable:
                continue

    async def versions_of(self, nodes: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
        """Return the key versions of each node, newest first; none for a node without a note.

        Args:
            nodes: ids of nodes.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        node_ids = list(nodes)
        if not node_ids:
            return {}
        keys = [_NAMES.key_versions(node) for node in node_ids]
        found = await execute("key versions", lambda: self._client.mget(keys))
        return {
            node: tuple(int(each) for each in (versions or b"").split())
            for node, versions in zip(node_ids, found, strict=True)
        }

    async def cookie_lifetime_left(self, version: int) -> timedelta:
        """Return how long a cookie that was signed with this key may still be of use.

        Args:
            version: of the key.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        notes = (_NAMES.signing_key(version), _NAMES.remembering_key(version))
        left_ms = [await execute("cookies", partial(self._client.pttl, note)) for note in notes]
        return timedelta(milliseconds=max(0, *left_ms))

    async def _set(self, name: str, value: str, kept: timedelta) -> None:
        await self._scripts.run("note_key", [name], [value, milliseconds(kept)])
