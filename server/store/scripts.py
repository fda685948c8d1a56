"""The Lua scripts: read from their files once, run by hash, loaded again if the server lost them.

Scripts make changes atomic; they contain no policy. Each script that writes takes an operation id,
so that running it again after a lost reply returns the first reply and changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import (
    ConnectionError,  # noqa: A004 the client's own
    NoScriptError,
)

from server.store.connection import execute

FOLDER = Path(__file__).parent / "scripts"

REPLICATION_MS: Final = 500
"""How long an end waits for replicas: less than the client waits for a reply."""


class Scripts:
    """Runs the scripts of `server/store/scripts/` on one client.

    Args:
        client: runs them.
        replicas: how many replicas must have an end before it counts as replicated; 0 does not
            wait for any.
    """

    def __init__(self, client: Redis, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas
        self._scripts = {
            path.stem: client.register_script(path.read_text(encoding="utf-8"))
            for path in FOLDER.glob("*.lua")
        }

    async def run(
        self, name: str, keys: Sequence[str | bytes], args: Sequence[str | bytes | int | float]
    ) -> Any:
        """Run the script in `name`.lua and return its reply.

        Args:
            name: of the script's file.
            keys: as the file's header lists them.
            args: likewise.

        Raises:
            StoreUnavailable: neither of two tries was answered. The script may have run.
        """
        script = self._scripts[name]

        async def send() -> Any:
            try:
                return await script(keys=list(keys), args=list(args))
            except NoScriptError as error:
                raise ConnectionError("loaded into one server, and sent to another") from error

        return await execute(name, send)

    async def run_replicated(
        self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> tuple[Any, bool | None]:
        """Run a script and wait until its writes have reached the replicas.

        Args:
            name: of the script's file.
            keys: as the file's header lists them.
            args: likewise.

        Returns:
            The script's reply, and whether enough replicas have its writes; None if no replicas
            were asked for.

        Raises:
            StoreUnavailable: neither of two tries was answered. The script may have run.
        """
        if not self._replicas:
            return await self.run(name, keys, args), None
        reply, reached = await execute(name, lambda: self._run_and_wait(name, keys, args))
        return reply, reached >= self._replicas

    async def _run_and_wait(
        self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> list[Any]:
        """Send both on one connection: WAIT only covers the writes of its own connection."""
        async with self._client.pipeline(transaction=False) as pipeline:
            await self._scripts[name](keys=list(keys), args=list(args), client=pipeline)
            pipeline.execute_command("WAIT", self._replicas, REPLICATION_MS)
            return await pipeline.execute()
