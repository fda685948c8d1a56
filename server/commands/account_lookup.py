"""Find the account that a command names."""

from server.commands.errors import CommandFailed
from server.services import Services


async def existing_user(services: Services, name: str) -> str:
    """Return the canonical name of an existing account.

    Raises:
        CommandFailed: there is no such account.
    """
    account = await services.accounts.find(name)
    if account is None:
        raise CommandFailed(f"There is no account {name!r}.")
    return account.user
