"""The Lua scripts: read from their files once, run by hash, loaded again where a server lost them.

Scripts hold atomicity, never policy. Each one that writes carries an operation id, so running it
again after a lost reply is answered, not executed twice.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from server.store.connection import ask

FOLDER = Path(__file__).parent / "scripts"


class Scripts:
    """Runs the scripts of `server/store/scripts/` on one client."""

    def __init__(self, client: Redis) -> None:
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
