"""The Lua scripts: read from their files once, run by hash, loaded again where a server lost them.

Scripts hold atomicity, never policy. Each one that writes carries an operation id, so running it
again after a lost reply is answered, not executed twice.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from server.store.connection import ask

FOLDER = Path(__file__).parent / "scripts"


REPLICATION_MS: Final = 500
"""How long an end waits for replicas; under the client's timeout for one reply."""


class Scripts:
    """Runs the scripts of `server/store/scripts/` on one client.

    Args:
        client: runs them.
        replicas: how many replicas must have an end before it counts as replicated.
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
        """The reply of the script in `name`.lua.

        Raises:
            StoreUnavailable: neither of two tries was answered. The script may have run.
        """
        script = self._scripts[name]
        return await ask(name, lambda: script(keys=list(keys), args=list(args)))

    async def end(
        self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> tuple[Any, bool | None]:
        """The reply of a script that ends sessions, and whether the replicas asked for have it.

        Returns:
            The reply, and None where no replicas were asked for.

        Raises:
            StoreUnavailable: as `run`.
        """
        if not self._replicas:
            return await self.run(name, keys, args), None
        reply, reached = await ask(name, lambda: self._end_replicated(name, keys, args))
        return reply, reached >= self._replicas

    async def _end_replicated(
        self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int]
    ) -> list[Any]:
        """WAIT speaks of its own connection's writes, so both go over one."""
        async with self._client.pipeline(transaction=False) as pipeline:
            await self._scripts[name](keys=list(keys), args=list(args), client=pipeline)
            pipeline.execute_command("WAIT", self._replicas, REPLICATION_MS)
            return await pipeline.execute()
