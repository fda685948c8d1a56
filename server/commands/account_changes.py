"""The `user` commands that list accounts, delete and rename them, and give the role."""

from datetime import UTC, datetime
from typing import Final

from server.accounts.outcomes import Denial, NotRenamed
from server.accounts.renaming import Renamed
from server.commands.command import Argument, Command
from server.commands.command_services import BEING_RENAMED, existing_user
from server.commands.confirmation import confirm
from server.commands.errors import CommandFailed
from server.commands.formatting import receipt_line
from server.commands.needs import with_services
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.receipt import Receipt
from server.core.typed_text import trimmed
from server.services import Services

GONE: Final = "There is no such account any more."
REFUSALS: Final = {
    Denial.LAST_ADMINISTRATOR: "Nobody else is an administrator; say --force to mean it.",
    Denial.ACCOUNT_NOT_FOUND: GONE,
    Denial.RENAME_UNFINISHED: BEING_RENAMED,
}


async def list_users(services: Services, *, after: str) -> None:
    """List all accounts in the order of their names, a page at a time."""
    while True:
        page = await services.account_changes.page(after)
        for account in page.accounts:
            print(account_line(account))
        if not page.following:
            return
        after = page.following


async def make_administrator(
    services: Services, *, name: str, remove: bool, may_be_last: bool
) -> None:
    """Give a user the role of an administrator; or take it away, and end the user's sessions.

    Raises:
        CommandFailed: there is no such account, or nobody would be left who has the role.
    """
    user = await existing_user(services, name)
    if remove:
        services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="no_administrator")
        outcome = await services.account_changes.take_role(user, may_be_last=may_be_last)
        print(receipt_line(_receipt(outcome)))
        return
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="made_administrator")
    made = await services.account_changes.make_administrator(user)
    if isinstance(made, Denial):
        raise CommandFailed(REFUSALS[made])
    print(f"{user} is an administrator now.")


async def delete(services: Services, *, name: str, confirmed: bool, may_be_last: bool) -> None:
    """Delete an account with all that is kept of it, and end all the user's sessions.

    Raises:
        CommandFailed: nothing was deleted.
    """
    user = await existing_user(services, name)
    if not (confirmed or _confirm(user)):
        raise CommandFailed("Nothing was deleted.")
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="delete")
    outcome = await services.account_changes.delete(user, may_be_last=may_be_last)
    print(receipt_line(_receipt(outcome)))


async def rename(services: Services, *, name: str, new_name: str) -> None:
    """Give an account another name, and end all the user's sessions.

    Raises:
        CommandFailed: there is no such account, or it cannot have the name.
    """
    user = await existing_user(services, name)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="rename")
    outcome = await services.renaming.rename(user, new_name)
    if isinstance(outcome, NotRenamed):
        raise CommandFailed(outcome.why.detail)
    if not isinstance(outcome, Renamed):
        raise CommandFailed(REFUSALS[outcome])
    print(f"{user} is {outcome.user} now.")
    print(receipt_line(outcome.receipt))


def account_line(account: Account) -> str:
    """Return one account of a list."""
    made = datetime.fromtimestamp(account.created_at, UTC).isoformat(timespec="seconds")
    facts = {
        f"spelled {account.spelling}": bool(account.spelling),
        "administrator": account.admin,
        "disabled": account.disabled,
        "second factor": account.factors.enabled,
        f"being renamed to {account.moving_to}": bool(account.moving_to),
    }
    return "  ".join([account.user, f"made {made}", *(word for word in facts if facts[word])])


def _receipt(outcome: Receipt | Denial) -> Receipt:
    if isinstance(outcome, Denial):
        raise CommandFailed(REFUSALS[outcome])
    return outcome


def _confirm(user: str) -> bool:
    return confirm(
        f"This deletes the account {user} for good", f"Delete the account {user} for good?"
    )


_NAME: Final = Argument("name", type=trimmed)
_FORCE: Final = Argument(
    "--force", action="store_true", dest="may_be_last", help="also the last administrator"
)

CHANGES: Final = (
    Command(
        "list",
        help="list all accounts",
        run=with_services(list_users),
        arguments=(Argument("--after", default="", help="begin behind this name"),),
    ),
    Command(
        "admin",
        help="make an administrator; --remove takes the role away and ends all sessions",
        run=with_services(make_administrator),
        arguments=(_NAME, Argument("--remove", action="store_true"), _FORCE),
    ),
    Command(
        "rename",
        help="give another name and end all sessions",
        run=with_services(rename),
        arguments=(_NAME, Argument("new_name", type=trimmed)),
    ),
    Command(
        "delete",
        help="delete the account and end all sessions",
        run=with_services(delete),
        arguments=(
            _NAME,
            Argument("--yes", action="store_true", dest="confirmed", help="do not ask"),
            _FORCE,
        ),
    ),
)
