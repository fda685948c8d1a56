"""The `store` commands: what an external store needs."""

from typing import Final

from server.commands.command import Command, CommandGroup
from server.commands.needs import with_settings
from server.store.acl import acl_command
from settings import Settings


def print_acl(settings: Settings) -> None:
    """Print the command that makes Curfew's user in the store.

    The password in it is a placeholder, for the person who types the command to replace.
    """
    print(acl_command("PASSWORD", replicas=settings.termination_replicas))


STORE: Final = CommandGroup(
    "store",
    help="what a store of your own needs",
    commands=(
        Command(
            "acl",
            help="print the command that makes the store's user",
            run=with_settings(print_acl),
        ),
    ),
)
