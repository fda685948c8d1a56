"""An application's own commands: each gets a `Node` within the application's lifespan."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from handlers.http.additions import Additions, Hooks
from handlers.http.node import Node
from handlers.serving.lifecycle import application_running
from server.commands.command import Command, CommandGroup, Run
from server.commands.needs import with_accounts, with_services_and_settings
from server.services import Services
from settings import Settings

NO_PLACE = -1
"""A command is none of the machine's processes."""


def bound(command: Run, additions: Callable[[], Additions]) -> Run:
    """Return what runs a command of an application.

    Args:
        command: a coroutine function, which takes a `Node` and the arguments by name.
        additions: reads the application's settings, and returns what it adds.
    """

    async def run(services: Services, settings: Settings, **arguments: Any) -> None:
        added = replace(additions(), tasks=(), hooks=Hooks())
        node = Node(services, settings, added.settings, serves=False)
        async with application_running(added, node, place=NO_PLACE, leave=_leave):
            await command(node, **arguments)

    return with_accounts(with_services_and_settings(run), lambda: additions().accounts)


def problem_with_commands(
    own: Sequence[Command | CommandGroup], ours: Sequence[Command | CommandGroup]
) -> str | None:
    """Return what is wrong with the names of commands, as a sentence; None if nothing is."""
    taken = {each.name for each in ours}
    for each in own:
        if each.name in taken:
            return f"The command {each.name!r} is there already; give yours another name."
        taken.add(each.name)
    return None


def _leave(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    os._exit(os.EX_CONFIG)
