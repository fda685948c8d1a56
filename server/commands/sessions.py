"""`sessions list` and `sessions end`."""

import sys

from server.commands.output import CommandFailed, print_listed, print_receipt
from server.commands.people import known_user
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.token import is_sid
from server.services import Services


async def show(services: Services, user: str | None) -> None:
    """List the live sessions of a user, or of everybody.

    Raises:
        CommandFailed: there is no such account.
    """
    if user is None:
        users = await services.sessions.users()
    else:
        users = [await known_user(services, user)]
    for each in users:
        for listed in await services.sessions.sessions_of(each):
            print_listed(listed)


async def end_one(services: Services, sid: str) -> None:
    """End one session.

    Raises:
        CommandFailed: there is no such live session.
    """
    found = await services.sessions.current(sid) if is_sid(sid) else NoSession()
    if isinstance(found, NoSession):
        ended = f"; it ended: {found.word}" if found.reason else ""
        raise CommandFailed(f"There is no live session {sid!r}{ended}.")
    services.audit.record(AuditEvent.ADMIN_ACT, user=found.user or "", sid=sid, act="end_session")
    print_receipt(await services.terminations.one(found, Reason.ADMIN))


async def end_user(services: Services, user: str) -> None:
    """End all sessions of a user.

    Raises:
        CommandFailed: there is no such account.
    """
    known = await known_user(services, user)
    services.audit.record(AuditEvent.ADMIN_ACT, user=known, act="end_sessions")
    print_receipt(await services.terminations.all_of(known, Reason.ADMIN))


async def end_everything(services: Services, *, confirmed: bool) -> None:
    """End all sessions of everybody, after asking.

    Raises:
        CommandFailed: the answer was no, or nobody could be asked.
    """
    if not confirmed and not _confirmed():
        raise CommandFailed("Nothing was ended.")
    services.audit.record(AuditEvent.ADMIN_ACT, act="end_everything")
    for receipt in await services.terminations.everything(Reason.ADMIN):
        print_receipt(receipt)


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise CommandFailed("This ends every session of everybody; say --yes to mean it.")
    return input("End every session of everybody? Type yes: ").strip() == "yes"
