"""Whom a command is about."""

from server.commands.output import CommandFailed
from server.services import Services


async def known_user(services: Services, name: str) -> str:
    """The canonical name of an existing account.

    Raises:
        CommandFailed: there is none.
    """
    account = await services.accounts.find(name)
    if account is None:
        raise CommandFailed(f"There is no account {name!r}.")
    return account.user
