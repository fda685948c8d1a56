"""The testing kit: a real server, a browser without a window, a clock that can be moved.

It needs two more packages: `pip install httpx websockets`, or the extra `curfew[testing]`.
"""

import curfew  # noqa: F401 - it makes the rest importable

try:
    import httpx  # noqa: F401
    import websockets  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"curfew.testing needs the package {error.name}: pip install httpx websockets"
    ) from None

from curfew.testing.client import PASSWORD, Client, frame
from curfew.testing.in_process import InProcess
from curfew.testing.ports import free_port
from curfew.testing.server import Server
from curfew.testing.waiting import eventually

__all__ = [
    "PASSWORD",
    "Client",
    "InProcess",
    "Server",
    "eventually",
    "frame",
    "free_port",
]
