"""The event loop of a worker: uvloop's, which is in C, or asyncio's own."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from server.core.errors import ConfigurationError

UVLOOP: Final = "uvloop"
AUTO: Final = "auto"

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(choice: str) -> LoopFactory:
    """Return what makes the loop of a worker.

    Args:
        choice: `uvloop`, `asyncio`, or `auto` for uvloop where it is installed.

    Raises:
        ConfigurationError: uvloop was chosen, and is not installed.
    """
    is_installed = find_spec(UVLOOP) is not None
    if choice == UVLOOP and not is_installed:
        raise ConfigurationError(
            "CURFEW_EVENT_LOOP is 'uvloop', which is not installed. Use auto or asyncio."
        )
    return _new_uvloop if choice in {AUTO, UVLOOP} and is_installed else asyncio.new_event_loop


def _new_uvloop() -> asyncio.AbstractEventLoop:
    # By its name: no program may need what there is none of on Windows.
    made: asyncio.AbstractEventLoop = import_module(UVLOOP).new_event_loop()
    return made
