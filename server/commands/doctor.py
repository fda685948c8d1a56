"""`doctor`: looks at what a server needs, and says what is wrong in a sentence each."""

import time

from server.core.receipt import Durability
from server.services import Services
from settings import Settings


async def examine(services: Services, settings: Settings) -> None:
    """Print what was found. The services opened, so the store and its layout are in order."""
    started = time.monotonic()
    await services.clock.synchronise()
    print(f"store      answers in {(time.monotonic() - started) * 1000:.1f} ms")
    print(f"durability {_durability(services.terminations.durability)}")
    print(f"keys       {len(settings.secret_keys)}, newest first: {services.keyring!r}")
    print(f"origins    {', '.join(sorted(settings.origins))}")
    print(f"data       {settings.data_dir}")


def _durability(durability: Durability) -> str:
    if durability is Durability.MEMORY:
        return "memory: a crash of the store can bring ended sessions back; see docs/operations.md"
    return durability.value
