"""Reads what `run.py top` shows: metrics over HTTP, nodes and ends from the store.

Neither waits for the other, and each may be gone for a while: then the view says so, and goes on.
"""

import asyncio
import ssl
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from server.core.errors import StoreNotReached, StoreUnavailable
from server.core.listen_address import ANY_OF_BOTH_FAMILIES, unix_path
from server.core.live_view import Reading
from server.core.samples import Samples
from server.embedded.store import StoreStartFailed
from server.foundation import Foundation, open_foundation
from server.store.opening import Stores
from server.telemetry.scraping import Scraper, trust_only
from settings import Settings

NO_ADDRESS: Final = (
    "no metrics: the server listens on a Unix socket; set CURFEW_METRICS_PORT, or give --metrics"
)


class TopReader:
    """Reads it again and again. It is its own context manager.

    Args:
        settings: the settings.
        metrics: addresses of metrics; empty for this machine's own.

    Attributes:
        store_problem: why the store could not be read the last time, in words; empty if it could.
    """

    def __init__(self, settings: Settings, metrics: Sequence[str]) -> None:
        own = own_metrics(settings)
        targets = [(each, None) for each in metrics] if metrics else [own] if own else []
        self._unreachable = [] if targets else [NO_ADDRESS]
        self._settings = settings
        self._scraper = Scraper(targets)
        self._stack = AsyncExitStack()
        self._opened: tuple[Foundation, Stores] | None = None
        self._gone_since: float | None = None
        self.store_problem = ""

    async def __aenter__(self) -> Self:
        """Begin. The store is opened by the first reading that finds it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the store."""
        await self._stack.aclose()

    async def read(self) -> Reading:
        """Return one reading, of what answered."""
        scraping = asyncio.create_task(self._scraper.read())
        try:
            stored = await self._read_store()
        finally:
            scraped = await scraping
        problems = [*([self.store_problem] if self.store_problem else []), *scraped.problems]
        problems += self._unreachable
        return Reading(
            time.monotonic(),
            Samples(scraped.samples),
            leases=stored.leases,
            store_now=stored.store_now,
            ends=stored.ends,
            problems=problems,
        )

    async def _read_store(self) -> Reading:
        """Return what the store tells; nothing if it does not answer."""
        nothing = Reading(0.0, Samples())
        try:
            base, stores = self._opened or await self._open()
            leases = await stores.nodes.leases()
            ends = await stores.end_watch.latest()
            await base.store.clock.synchronise()
        except (StoreUnavailable, StoreNotReached, StoreStartFailed) as error:
            self._gone_since = self._gone_since or time.monotonic()
            gone = time.monotonic() - self._gone_since
            self.store_problem = f"the store does not answer, for {gone:.0f} s now: {error}"
            return nothing
        self._gone_since, self.store_problem = None, ""
        now = base.store.clock.now()
        return Reading(0.0, Samples(), leases=leases, store_now=now, ends=ends)

    async def _open(self) -> tuple[Foundation, Stores]:
        async with AsyncExitStack() as stack:
            base = await open_foundation(self._settings, stack, for_serving=False)
            self._opened = base, base.open_stores(serves=False)
            await self._stack.enter_async_context(stack.pop_all())
        return self._opened


def own_metrics(settings: Settings) -> tuple[str, ssl.SSLContext | None] | None:
    """Return where this machine's metrics are, with what checks the certificate there.

    Returns:
        None if the server has no port: it listens on a Unix socket.
    """
    running = settings.running
    if running.metrics_port is not None:
        host = reachable_host(running.metrics_address)
        return f"http://{host}:{running.metrics_port}/metrics", None
    if unix_path(settings.host) is not None:
        return None
    host = reachable_host(settings.host)
    url = f"{settings.scheme}://{host}:{settings.port}{settings.base_path}/metrics"
    return url, trust_only(settings.tls_cert) if settings.tls_cert else None


def reachable_host(host: str) -> str:
    """Return where a server that listens on this address can be reached, as URLs have it."""
    if host in {"", "0.0.0.0", ANY_OF_BOTH_FAMILIES}:  # noqa: S104 - all addresses; the loopback is one
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
