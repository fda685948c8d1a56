"""`user add`, `user disable`, `user passwd` and `user reset-factors`."""

import getpass
import sys

from server.commands.output import CommandFailed, print_receipt
from server.commands.people import known_user
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.reasons import Reason
from server.services import Services


async def add(services: Services, name: str, *, admin: bool) -> None:
    """Make an account; the password is asked for, or read from standard input.

    Raises:
        CommandFailed: name or password will not do.
    """
    made = await services.accounts.create(name, _password("Password: "), admin=admin)
    if not isinstance(made, Account):
        raise CommandFailed(made.detail)
    services.audit.record(AuditEvent.USER_CREATED, user=made.user, admin=made.admin)
    print(f"{made.user} can sign in now" + (" as an administrator." if made.admin else "."))


async def disable(services: Services, name: str) -> None:
    """Refuse sign-in to a user, and end all sessions there are.

    Raises:
        CommandFailed: there is no such account.
    """
    user = await known_user(services, name)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="disabled")
    await services.accounts.set_disabled(user, disabled=True)
    services.audit.record(AuditEvent.USER_UPDATED, user=user, change="disabled")
    print_receipt(await services.terminations.all_of(user, Reason.ACCOUNT_DISABLED))


async def change_password(services: Services, name: str) -> None:
    """Give a user a new password, and end all sessions there are.

    Raises:
        CommandFailed: there is no such account, or the password will not do.
    """
    user = await known_user(services, name)
    if bad := await services.accounts.set_password(user, _password("New password: ")):
        raise CommandFailed(bad.detail)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="set_password")
    services.audit.record(AuditEvent.PASSWORD_CHANGED, user=user)
    print_receipt(await services.terminations.all_of(user, Reason.CREDENTIAL_CHANGED))


async def reset_factors(services: Services, name: str) -> None:
    """Leave a user the password alone to sign in with, and end all sessions there are.

    For somebody who lost the device. Whoever runs this must know that it is the right person.

    Raises:
        CommandFailed: there is no such account.
    """
    user = await known_user(services, name)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="reset_factors")
    factors = await services.factors.factors_of(user)
    if await services.factors.remove_all(user):
        services.audit.record(AuditEvent.FACTOR_REMOVED, user=user)
        app = "the app" if factors.totp else "no app"
        print(f"Removed {app} and {len(factors.passkeys)} passkeys, with their recovery codes.")
    else:
        print("There was no second factor.")
    print_receipt(await services.terminations.all_of(user, Reason.CREDENTIAL_CHANGED))


def _password(prompt: str) -> str:
    """Asked for without echo, or the first line of standard input where nobody can be asked."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
