"""What a command needs before it can run: the settings, or the services of a store.

A command that needs neither is declared with its own function.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Concatenate

from server.commands.command import Run
from server.commands.command_services import open_command_services
from server.services import Services
from server.telemetry.log_format import configure_command_logging
from settings import Settings, load_settings

Work = Coroutine[None, None, None]


def with_settings(command: Callable[Concatenate[Settings, ...], None]) -> Run:
    """Return a function that reads the settings and runs the command with them."""

    @wraps(command)
    def run(**arguments: object) -> None:
        command(load_settings(), **arguments)

    return run


def with_services(
    command: Callable[Concatenate[Services, ...], Work], *, keys_must_fit: bool = True
) -> Run:
    """Return a function that opens the services and runs the command with them.

    Args:
        command: the command.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
    """

    @wraps(command)
    def run(**arguments: object) -> None:
        settings = load_settings()
        _run(settings, lambda services: command(services, **arguments), keys_must_fit)

    return run


def with_services_and_settings(
    command: Callable[Concatenate[Services, Settings, ...], Work], *, keys_must_fit: bool = True
) -> Run:
    """Return a function that opens the services and runs the command with them and the settings.

    Args:
        command: the command.
        keys_must_fit: whether to refuse keys that do not open what is in the store.
    """

    @wraps(command)
    def run(**arguments: object) -> None:
        settings = load_settings()
        _run(settings, lambda services: command(services, settings, **arguments), keys_must_fit)

    return run


def _run(
    settings: Settings,
    command: Callable[[Services], Work],
    keys_must_fit: bool,  # noqa: FBT001 - an inner hand-over
) -> None:
    configure_command_logging(settings.log_format)

    async def run() -> None:
        async with open_command_services(settings, keys_must_fit=keys_must_fit) as services:
            await command(services)

    asyncio.run(run())
