"""The `sessions` commands: list live sessions, and end them."""

import sys
from typing import Final

from server.commands.command import Argument, Command, CommandGroup, ExactlyOneOf
from server.commands.command_services import existing_user
from server.commands.errors import CommandFailed
from server.commands.formatting import receipt_line, session_line
from server.commands.needs import with_services
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.token import is_sid
from server.services import Services


async def list_sessions(services: Services, *, user: str | None) -> None:
    """List the live sessions of a user, or of everybody.

    Raises:
        CommandFailed: there is no such account.
    """
    if user is None:
        users = await services.sessions.users()
    else:
        users = [await existing_user(services, user)]
    for each in users:
        for listed in await services.sessions.sessions_of(each):
            print(session_line(listed))


async def end(
    services: Services, *, sid: str | None, user: str | None, everybody: bool, confirmed: bool
) -> None:
    """End one session, all sessions of a user, or all sessions of everybody.

    Args:
        services: the services.
        sid: the one session; None unless it was given.
        user: the user; None unless one was given.
        everybody: whether to end everything. The parser requires exactly one of the three.
        confirmed: whether to end everything without asking first.

    Raises:
        CommandFailed: nothing was ended.
    """
    if everybody:
        await _end_everything(services, confirmed=confirmed)
    elif user is not None:
        await _end_user(services, user)
    elif sid is not None:
        await _end_one(services, sid)


async def _end_one(services: Services, sid: str) -> None:
    found = await services.sessions.current(sid) if is_sid(sid) else NoSession()
    if isinstance(found, NoSession):
        raise CommandFailed(_no_live_session(sid, found))
    services.audit.record(AuditEvent.ADMIN_ACT, user=found.user or "", sid=sid, act="end_session")
    print(receipt_line(await services.terminations.one(found, Reason.ADMIN)))


async def _end_user(services: Services, name: str) -> None:
    user = await existing_user(services, name)
    services.audit.record(AuditEvent.ADMIN_ACT, user=user, act="end_sessions")
    print(receipt_line(await services.terminations.all_of(user, Reason.ADMIN)))


async def _end_everything(services: Services, *, confirmed: bool) -> None:
    if not (confirmed or _confirm()):
        raise CommandFailed("Nothing was ended.")
    services.audit.record(AuditEvent.ADMIN_ACT, act="end_everything")
    for receipt in await services.terminations.everything(Reason.ADMIN):
        print(receipt_line(receipt))


def _no_live_session(sid: str, found: NoSession) -> str:
    ended = f"; it ended: {found.word}" if found.reason else ""
    return f"There is no live session {sid!r}{ended}."


def _confirm() -> bool:
    if not sys.stdin.isatty():
        raise CommandFailed("This ends every session of everybody; say --yes to mean it.")
    return input("End every session of everybody? Type yes: ").strip() == "yes"


SESSIONS: Final = CommandGroup(
    "sessions",
    help="list or end sessions, live",
    commands=(
        Command(
            "list",
            help="list live sessions",
            run=with_services(list_sessions),
            arguments=(Argument("--user"),),
        ),
        Command(
            "end",
            help="end sessions live; prints the receipt",
            run=with_services(end),
            arguments=(
                ExactlyOneOf(
                    Argument("sid", nargs="?"),
                    Argument("--user"),
                    Argument("--all", action="store_true", dest="everybody"),
                ),
                Argument("--yes", action="store_true", dest="confirmed", help="do not ask"),
            ),
        ),
    ),
)
