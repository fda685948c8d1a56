"""The services of a command: on a running server's store, or on one started for the command."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from server.commands.errors import CommandFailed
from server.core.account import Account
from server.embedded.store import EmbeddedStore
from server.processes.lock import AlreadyRunning, locked_folder
from server.services import Services, open_services
from server.store.account_contract import OpenAccounts
from server.telemetry.audit import AuditSource
from settings import Settings

BEING_RENAMED: Final = "The account is being renamed; repeat that with the same name first."


@asynccontextmanager
async def open_command_services(
    settings: Settings, *, keys_must_fit: bool = True, accounts: OpenAccounts | None = None
) -> AsyncIterator[Services]:
    """Open the services for as long as the command runs.

    The audit trail names the command line, and the system's user, as the one who acts.

    Args:
        settings: the settings.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
        accounts: opens the accounts, where an application keeps them itself.

    Raises:
        ConfigurationError: the store does not fit the settings.
        StoreUnavailable: the store did not answer.
        StoreStartFailed: the embedded store did not start.
    """
    with _running_store(settings):
        opening = open_services(
            settings, serves=False, keys_must_fit=keys_must_fit, accounts=accounts
        )
        async with opening as services:
            user = f"command line, uid {os.getuid()}"  # no user name contains a space
            services.audit.set_source(AuditSource(user=user, administrator=True))
            yield services


async def existing_user(services: Services, name: str) -> str:
    """Return the canonical name of an existing account.

    Raises:
        CommandFailed: there is no such account.
    """
    return (await _existing(services, name)).user


async def user_to_change(services: Services, name: str) -> str:
    """Return the canonical name of an existing account that can be changed now.

    Raises:
        CommandFailed: there is no such account, or a rename has left half of it elsewhere.
    """
    account = await _existing(services, name)
    if account.moving_to:
        raise CommandFailed(BEING_RENAMED)
    return account.user


async def _existing(services: Services, name: str) -> Account:
    account = await services.accounts.find(name)
    if account is None:
        raise CommandFailed(f"There is no account {name!r}.")
    return account


@contextmanager
def _running_store(settings: Settings) -> Iterator[None]:
    """Start the embedded store, unless a server runs it already or the store is external."""
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
