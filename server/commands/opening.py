"""Opening the services for a command: on the running server's store, or on one started for it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from server.embedded.store import EmbeddedStore
from server.processes.lock import AlreadyRunning, locked_folder
from server.services import Services, open_services
from server.telemetry.audit import AuditSource
from settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """The services, for as long as the command takes.

    Raises:
        StoreUnavailable: the store did not answer.
        StoreStartFailed: the embedded store did not start.
    """
    with _store(settings):
        async with open_services(settings, serves=False) as services:
            user = f"command line, uid {os.getuid()}"  # no user name has a space
            services.audit.set_source(AuditSource(user=user, administrator=True))
            yield services


@contextmanager
def _store(settings: Settings) -> Iterator[None]:
    """The embedded store: a running server's, or our own while no server runs."""
    if settings.store_url:
        yield
        return
    try:
        with locked_folder(settings.data_dir):
            store = EmbeddedStore(settings.data_dir)
            store.start()
            try:
                yield
            finally:
                store.stop()
    except AlreadyRunning:
        yield
