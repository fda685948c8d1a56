"""The commands of this application, beside Curfew's: `python -m huddle greet ada`."""

from curfew import Argument, Command, CommandFailed, Node


async def greet(node: Node, name: str) -> None:
    """Print the greeting of somebody who has an account."""
    account = await node.services.accounts.find(name)
    if account is None:
        raise CommandFailed(f"There is no account {name!r}.")
    print(f"{node.settings.greeting}, {account.user}!")


GREET = Command("greet", "greet somebody who has an account", greet, (Argument("name"),))
