"""What a command needs before it can run: the settings, or the services of a store.

A command that needs neither is declared with its own function.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Concatenate

from server.commands.command import Run
from server.commands.command_services import open_command_services
from server.embedded.new_folder import note_of_new_folder
from server.services import Services
from server.store.account_contract import OpenAccounts
from server.telemetry.log_format import configure_command_logging
from settings import Settings, load_settings

Work = Coroutine[None, None, None]


def with_settings(command: Callable[Concatenate[Settings, ...], None]) -> Run:
    """Return a function that reads the settings and runs the command with them."""

    @wraps(command)
    def run(**arguments: object) -> None:
        command(load_settings(), **arguments)

    return run


@dataclass(frozen=True)
class WithServices:
    """Opens the services, and runs a command with them.

    Args:
        command: takes the services, the settings if it wants them, and the command's arguments.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
        takes_settings: whether it wants the settings, too.
        read_accounts: returns what opens the accounts of an application that keeps them itself;
            None if none does.
    """

    command: Callable[..., Work]
    keys_must_fit: bool
    takes_settings: bool
    read_accounts: Callable[[], OpenAccounts | None] = lambda: None

    @property
    def __wrapped__(self) -> Callable[..., Work]:
        """The command itself, for `inspect.unwrap`."""
        return self.command

    def __call__(self, **arguments: object) -> None:
        """Run the command with its arguments."""
        settings = load_settings()
        configure_command_logging(settings.log_format)
        _tell_of_new_folder(settings)
        asyncio.run(self._run(settings, arguments))

    async def _run(self, settings: Settings, arguments: Mapping[str, object]) -> None:
        opening = open_command_services(
            settings, keys_must_fit=self.keys_must_fit, accounts=self.read_accounts()
        )
        async with opening as services:
            if self.takes_settings:
                await self.command(services, settings, **arguments)
            else:
                await self.command(services, **arguments)


def with_services(
    command: Callable[Concatenate[Services, ...], Work], *, keys_must_fit: bool = True
) -> Run:
    """Return what opens the services and runs the command with them.

    Args:
        command: the command.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
    """
    return WithServices(command, keys_must_fit, takes_settings=False)


def with_services_and_settings(
    command: Callable[Concatenate[Services, Settings, ...], Work], *, keys_must_fit: bool = True
) -> Run:
    """Return what opens the services and runs the command with them and the settings.

    Args:
        command: the command.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
    """
    return WithServices(command, keys_must_fit, takes_settings=True)


def with_accounts(run: Run, read_accounts: Callable[[], OpenAccounts | None]) -> Run:
    """Return what runs the same command on the accounts of an application."""
    return replace(run, read_accounts=read_accounts) if isinstance(run, WithServices) else run


def _tell_of_new_folder(settings: Settings) -> None:
    """Warn who acts on a store that nobody has used yet: their sessions may be in another one."""
    if settings.store_url:
        return
    if note := note_of_new_folder(settings.data_dir, has_own_keys=settings.has_own_keys):
        print(note, file=sys.stderr)
