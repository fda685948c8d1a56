"""The names of all accounts in order, and which of them are administrators.

The accounts themselves decide: they are sealed, and these lists are not. A name that is listed
without an account is left out by whoever reads the list. Accounts from before these lists are
listed once, by whichever process needs them first.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from heapq import merge
from itertools import islice
from typing import Final

from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.store.accounts import AccountStore
from server.store.connection import execute
from server.store.looks import LookClaims
from server.store.names import ShardNames
from server.store.scanning import scan
from server.store.scripts import Scripts

LAYOUT: Final = "1"
"""Of the lists. Another value in the note has the names listed again."""
AT_ONCE: Final = 16
"""Accounts that are listed at the same time."""
RETRY: Final = timedelta(seconds=5)


class AccountIndex:
    """Lists accounts. Every method raises `StoreUnavailable` if the store fails.

    Args:
        client: the store.
        scripts: runs `list_account` and `drop_administrator`.
        accounts: where the accounts are.
        looks: claims how names look.
        shards: how many shards the store has.
    """

    def __init__(
        self,
        client: Redis,
        scripts: Scripts,
        accounts: AccountStore,
        looks: LookClaims,
        shards: int,
    ) -> None:
        self._client = client
        self._scripts = scripts
        self._accounts = accounts
        self._looks = looks
        self._shards = [ShardNames(number) for number in range(shards)]
        self._is_complete = False
        self._turn = asyncio.Lock()

    async def page(self, after: str, limit: int, *, prefix: str = "") -> list[str]:
        """Return the names that follow a name, in the order of their bytes in UTF-8.

        Args:
            after: the last name of the page before; empty for the first page.
            limit: how many names at most.
            prefix: how the names begin.
        """
        await self.complete()
        part = _Part(prefix.encode(), after.encode())
        pages = [await self._names_in(names, part, limit) for names in self._shards]
        return [name.decode() for name in islice(merge(*pages), limit)]

    async def administrators(self) -> set[str]:
        """Return the names that are noted as administrators'; the accounts decide."""
        await self.complete()
        key = self._shards[0].administrators
        found = await execute("administrators", lambda: self._client.hgetall(key))
        return {name.decode() for name in found}

    async def drop_administrator(
        self, user: str, *, others: Collection[str] = (), may_be_last: bool = False
    ) -> bool:
        """Remove a name from the administrators; return False if nobody else would be left.

        Of two administrators who take the role away from each other at once, one stays.

        Args:
            user: canonical user name.
            others: the other administrators who can sign in, of whom one must still be listed.
            may_be_last: whether nobody need be left.
        """
        await self.complete()
        key = self._shards[0].administrators
        dropped = await self._scripts.run(
            "drop_administrator", [key], [user, int(may_be_last), *others]
        )
        return bool(dropped)

    async def claim_look(self, user: str, *, former: str = "") -> bool:
        """Claim how a name looks; return False if somebody has a name that looks so.

        Args:
            user: canonical user name.
            former: the name that the account has until now.
        """
        if not self._turn.locked():  # a server lists many earlier accounts in the background
            await self.complete()
        return await self._looks.claim(user, former=former)

    async def release_look(self, user: str, *, since: float) -> None:
        """Give up the claim of a removed account; see `LookClaims.release`."""
        await self._looks.release(user, since=since)

    async def complete(self) -> None:
        """List the accounts from before this index, unless that was done."""
        async with self._turn:
            if self._is_complete:
                return
            note = self._shards[0].listed
            found = await execute("listed", lambda: self._client.get(note))
            if found != LAYOUT.encode():
                await self._list_all()
                await execute("note listed", lambda: self._client.set(note, LAYOUT))
            self._is_complete = True

    async def run(self) -> None:
        """List the accounts from before this index, as soon as the store takes it."""
        while not self._is_complete:
            try:
                await self.complete()
            except StoreUnavailable:
                await asyncio.sleep(RETRY.total_seconds())

    async def _list_all(self) -> None:
        for names in self._shards:
            prefix = names.account("")
            async for keys in scan(self._client, prefix + "*"):
                users = [key.decode(errors="replace").removeprefix(prefix) for key in keys]
                for start in range(0, len(users), AT_ONCE):
                    part = users[start : start + AT_ONCE]
                    await asyncio.gather(*(self._list(names, user) for user in part))

    async def _list(self, names: ShardNames, user: str) -> None:
        await self._scripts.run("list_account", [names.account(user), names.accounts], [user])
        await self._looks.claim(user)
        stored = await self._accounts.load(user)
        if stored and stored.account.admin:
            await self._accounts.note_administrator(user)

    async def _names_in(self, names: ShardNames, part: "_Part", limit: int) -> list[bytes]:
        found: list[bytes] = await execute(
            "names of accounts",
            lambda: self._client.zrange(
                names.accounts,
                part.start,
                part.end,
                bylex=True,
                offset=0,
                num=limit,
            ),
        )
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the names in order, as `ZRANGE … BYLEX` takes it.

    Attributes:
        prefix: how the names begin; empty for all.
        after: the name before the part; empty for none.
    """

    prefix: bytes
    after: bytes

    @property
    def start(self) -> bytes:
        """The lower end."""
        if self.after >= self.prefix and self.after:
            return b"(" + self.after
        return b"[" + self.prefix if self.prefix else b"-"

    @property
    def end(self) -> bytes:
        """The upper end: no byte of UTF-8 is 255."""
        return b"[" + self.prefix + b"\xff" if self.prefix else b"+"
