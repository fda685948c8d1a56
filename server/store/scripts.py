"""The Lua scripts: read from their files once, run by hash, loaded again if the server lost them.

Scripts make changes atomic; they contain no policy. Each script that writes takes an operation id,
so that running it again after a lost reply returns the first reply and changes nothing.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    NoScriptError,
)

from server.core.errors import StoreUnavailable
from server.core.receipt import Durability
from server.store.cluster_client import first_of, master_of
from server.store.command_client import Command
from server.store.confirmed_run import Confirmation, ConfirmedRun
from server.store.connection import execute, execute_at_most_once
from server.store.master import MasterLink
from server.store.shared_trips import SharedTrips

FOLDER = Path(__file__).parent / "scripts"


def source_of(path: Path) -> str:
    """Return the text of a script, with the parts that it shares with others in place."""
    return re.sub(
        r"^-- include (\S+)$",
        lambda match: (FOLDER / match[1]).read_text(encoding="utf-8"),
        path.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )


class Scripts:
    """Runs the scripts of `server/store/scripts/` on one client.

    Args:
        client: runs them.
        replicas: how many replicas must have an end before it counts as replicated; 0 does not
            wait for any.
        link: says whether the master still was the master after a write that must count.
    """

    def __init__(self, client: Redis, replicas: int = 0, link: MasterLink | None = None) -> None:
        self._client = client
        self._replicas = replicas
        self._link = link or MasterLink()
        self._trips = SharedTrips()
        self._scripts = {
            path.stem: client.register_script(source_of(path)) for path in FOLDER.glob("*.lua")
        }

    async def run(
        self,
        name: str,
        keys: Sequence[str | bytes],
        args: Sequence[str | bytes | int | float],
        *,
        must_count: bool = False,
        once: bool = False,
        shared: bool = False,
    ) -> Any:
        """Run the script in `name`.lua and return its reply.

        Args:
            name: of the script's file.
            keys: as the file's header lists them.
            args: likewise.
            must_count: whether to make sure that the master still was the master afterwards.
            once: whether it must not be sent a second time if it may have run.
            shared: whether it is worth to be sent with others of the same tick.

        Raises:
            StoreUnavailable: there was no answer, to two tries. The script may have run.
        """

        async def send() -> Any:
            client = master_of(self._client, first_of(keys))
            if shared:
                with suppress(NoScriptError):  # it is loaded below
                    return await self._trips.run(client, self._command(name, keys, args))
            try:
                return await self._scripts[name](keys=list(keys), args=list(args), client=client)
            except NoScriptError as error:
                raise ConnectionError("loaded into one server, and sent to another") from error

        run = execute_at_most_once if once else execute
        return await run(name, partial(self._run_on_master, send) if must_count else send)

    async def run_confirmed(
        self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> tuple[Any, Confirmation]:
        """Run a script, and find out where its writes are.

        Args:
            name: of the script's file.
            keys: as the file's header lists them.
            args: likewise.

        Returns:
            The script's reply, and what is known of its writes.

        Raises:
            StoreUnavailable: neither of two tries was answered. The script may have run.
        """
        run = ConfirmedRun(self._client, self._scripts[name], keys, args, self._replicas)
        reply, confirmed = await execute(name, partial(self._run_on_master, run))
        if confirmed.durability is None:
            confirmed = replace(confirmed, durability=await self._durability_of_another(run, name))
        return reply, confirmed

    def _command(
        self, name: str, keys: Sequence[str | bytes], args: Sequence[str | bytes | int | float]
    ) -> Command:
        return "EVALSHA", self._scripts[name].sha, len(keys), *keys, *args

    async def _run_on_master(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """Run a command, and make sure that another server has not become the master meanwhile.

        Raises:
            MasterUnknown: it may have, so what was written may be lost. It is written again.
        """
        place = self._link.place
        reply = await command()
        await self._link.confirm(place)
        return reply

    async def _durability_of_another(self, run: ConfirmedRun, name: str) -> Durability:
        """Run a script again, which changes nothing, to ask once more about its writes.

        One question may prove nothing even of a store that syncs: its parts may arrive separately.
        """
        try:
            _, confirmed = await execute(name, run)
        except StoreUnavailable:
            return Durability.UNKNOWN
        return confirmed.durability or Durability.MEMORY
