"""Which keys running servers have and write with, noted in the store for whoever changes keys.

A key may go when nothing is under it any more. Records can be counted; cookies are in browsers. So
a server notes from time to time which key it signs with, and that note lasts as long as the last
cookie that it can have signed. Notes hold versions, which tell nothing of a key.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.crypto.keyring import Keyring
from server.store.connection import ask
from server.store.ends import milliseconds
from server.store.names import ShardNames

NOTED_EVERY: Final = timedelta(seconds=10)
RING_KEPT: Final = 3 * NOTED_EVERY
"""The note of a server that died goes by itself."""
_NAMES: Final = ShardNames(0)


class KeyUse:
    """Notes, and reads the notes of all.

    Args:
        client: the store.
        node: this node's id.
        keyring: this node's keys.
        cookies_live: how long a cookie can be of use.
    """

    def __init__(self, client: Redis, node: str, keyring: Keyring, cookies_live: timedelta) -> None:
        self._client = client
        self._node = node
        self._versions = keyring.versions
        self._kept_ms = milliseconds(cookies_live + RING_KEPT)

    async def note(self) -> None:
        """Note which keys this node has, and that it signs with the newest.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ring = " ".join(map(str, self._versions))
        await self._set(_NAMES.ring(self._node), ring, milliseconds(RING_KEPT))
        await self._set(_NAMES.signing(self._versions[0]), "", self._kept_ms)

    async def run(self) -> None:
        """Note until cancelled."""
        while True:
            await asyncio.sleep(NOTED_EVERY.total_seconds())
            try:
                await self.note()
            except StoreUnavailable:
                continue

    async def rings(self, nodes: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
        """The versions that each of these nodes has, newest first; none where it has not said.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        names = list(nodes)
        if not names:
            return {}
        keys = [_NAMES.ring(node) for node in names]
        found = await ask("rings", lambda: self._client.mget(keys))
        return {
            node: tuple(int(each) for each in (ring or b"").split())
            for node, ring in zip(names, found, strict=True)
        }

    async def cookies_live_for(self, version: int) -> timedelta:
        """How long a cookie that a server signed with this key may still be of use.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        left = await ask("cookies", lambda: self._client.pttl(_NAMES.signing(version)))
        return timedelta(milliseconds=max(0, left))

    async def _set(self, name: str, value: str, kept_ms: int) -> None:
        await ask("note keys", lambda: self._client.set(name, value, px=kept_ms))
