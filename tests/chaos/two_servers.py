"""Two servers, A and B, that share a store, and how long they wait."""

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, NamedTuple, Protocol

from server.crypto.keyring import new_secret
from tests.support.clients.people import People
from tests.support.running.processes import eventually
from tests.support.servers.server import HASTY, CurfewServer
from tests.support.servers.workers import workers_of

LEASE_SECONDS: Final = 2.0
HOLD_SECONDS: Final = 3.0
SETTINGS: Final = {
    "node_lease": f"{LEASE_SECONDS:g}s",
    "hold_timeout": f"{HOLD_SECONDS:g}s",
    "sweep_interval": "20s",
    "termination_wait": "6s",
}


class Pair(NamedTuple):
    """Both servers.

    Attributes:
        a: where people sign in and sessions are ended.
        b: the other server.
    """

    a: CurfewServer
    b: CurfewServer

    def signal_b(self, signum: signal.Signals) -> None:
        """Send a signal to the process of B that serves."""
        (pid,) = eventually(lambda: workers_of(self.b))
        os.kill(pid, signum)


class TwoServers(Protocol):
    """Two servers, and what lies between them and their store."""

    @property
    def servers(self) -> Pair:
        """A and B."""

    def settle(self) -> None:
        """Wait until all is well for the next fault."""

    def people(self) -> AbstractAsyncContextManager[People]:
        """Open browsers on A."""


@contextmanager
def two_servers(url_of_a: str, url_of_b: str) -> Iterator[Pair]:
    """Run A and B with the same keys.

    Args:
        url_of_a: where A finds the store.
        url_of_b: where B finds it.
    """
    keys = new_secret()
    with (
        CurfewServer(script=HASTY, store_url=url_of_a, secret_keys=keys, **SETTINGS) as a,
        CurfewServer(script=HASTY, store_url=url_of_b, secret_keys=keys, **SETTINGS) as b,
    ):
        yield Pair(a, b)
