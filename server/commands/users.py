"""The `user` commands: add, disable and enable accounts, set passwords, remove second factors."""

import getpass
import sys
from typing import Final

from server.commands.account_changes import CHANGES, GONE
from server.commands.command import Argument, Command, CommandGroup
from server.commands.command_services import user_to_change
from server.commands.errors import CommandFailed
from server.commands.formatting import receipt_line, removed_factors_line
from server.commands.needs import with_services
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.reasons import Reason
from server.core.typed_text import trimmed
from server.services import Services


async def add(services: Services, *, name: str, admin: bool) -> None:
    """Make an account. Its password is asked for, or read from standard input.

    Raises:
        CommandFailed: the name or the password is not accepted.
    """
    made = await services.accounts.create(name, _read_password("Password: "), admin=admin)
    if not isinstance(made, Account):
        raise CommandFailed(made.detail)
    services.audit.record(AuditEvent.USER_CREATED, user=made.user, admin=made.admin)
    print(f"{made.user} can sign in now" + (" as an administrator." if made.admin else "."))


async def disable(services: Services, *, name: str) -> None:
    """Refuse sign-in to a user, and end all the user's sessions.

    Raises:
        CommandFailed: there is no such account.
    """
    user = await _set_disabled(services, name, disabled=True)
    await _end_sessions(services, user, Reason.ACCOUNT_DISABLED)


async def enable(services: Services, *, name: str) -> None:
    """Allow sign-in to a user again.

    Raises:
        CommandFailed: there is no such account.
    """
    print(f"{await _set_disabled(services, name, disabled=False)} can sign in again.")


async def set_password(services: Services, *, name: str) -> None:
    """Set a user's new password, and end all the user's sessions.

    Raises:
        CommandFailed: there is no such account, or the password is not accepted.
    """
    user = await user_to_change(services, name)
    if bad := await services.accounts.set_password(user, _read_password("New password: ")):
        raise CommandFailed(bad.detail)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="set_password")
    services.audit.record(AuditEvent.PASSWORD_CHANGED, user=user)
    await _end_sessions(services, user, Reason.CREDENTIAL_CHANGED)


async def reset_factors(services: Services, *, name: str) -> None:
    """Remove a user's second factors, and end all the user's sessions.

    It is for people who lost their device; afterwards the password alone signs in. Whoever runs
    it must first make sure who asks for it.

    Raises:
        CommandFailed: there is no such account.
    """
    user = await user_to_change(services, name)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="reset_factors")
    factors = await services.factors.factors_of(user)
    if await services.factors.remove_all(user):
        services.audit.record(AuditEvent.FACTOR_REMOVED, user=user)
        print(removed_factors_line(factors))
    else:
        print("There was no second factor.")
    await _end_sessions(services, user, Reason.CREDENTIAL_CHANGED)


async def _set_disabled(services: Services, name: str, *, disabled: bool) -> str:
    user = await user_to_change(services, name)
    change = "disabled" if disabled else "enabled"
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act=change)
    if not await services.accounts.set_disabled(user, disabled=disabled):
        raise CommandFailed(GONE)
    services.audit.record(AuditEvent.USER_UPDATED, user=user, change=change)
    return user


async def _end_sessions(services: Services, user: str, reason: Reason) -> None:
    print(receipt_line(await services.terminations.all_of(user, reason)))


def _read_password(prompt: str) -> str:
    """Ask without echo at a terminal; else read the first line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


_NAME: Final = Argument("name", type=trimmed)

USER: Final = CommandGroup(
    "user",
    help="add, list, disable, rename, delete, give a new password or a role, reset second factors",
    commands=(
        Command(
            "add",
            help="make an account; the password is asked for",
            run=with_services(add),
            arguments=(
                _NAME,
                Argument("--admin", action="store_true", help="may act on other people's sessions"),
            ),
        ),
        Command(
            "disable",
            help="refuse sign-in and end all sessions",
            run=with_services(disable),
            arguments=(_NAME,),
        ),
        Command(
            "enable",
            help="allow sign-in again",
            run=with_services(enable),
            arguments=(_NAME,),
        ),
        Command(
            "passwd",
            help="set a new password and end all sessions",
            run=with_services(set_password),
            arguments=(_NAME,),
        ),
        Command(
            "reset-factors",
            help="remove second factors and end all sessions",
            run=with_services(reset_factors),
            arguments=(_NAME,),
        ),
        *CHANGES,
    ),
)
