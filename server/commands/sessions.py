"""The `sessions` commands: list live sessions, and end them."""

import sys
from typing import Final

from server.accounts.user_names import canonical_username
from server.commands.command import Argument, Command, CommandGroup, ExactlyOneOf
from server.commands.command_services import existing_user
from server.commands.confirmation import confirm
from server.commands.errors import CommandFailed
from server.commands.formatting import receipt_line, session_line
from server.commands.needs import with_services
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.token import is_sid
from server.core.typed_text import trimmed
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
    for other in await services.node_rules.others():
        print(f"Listed by other session rules than a server's: {other}.", file=sys.stderr)
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
        receipt = await _end_closed(services, sid) if is_sid(sid) and not found.reason else None
        if receipt is None:
            raise CommandFailed(_no_live_session(sid, found))
    else:
        _record(services, "end_session", sid=sid, user=found.user or "")
        receipt = await services.terminations.one(found, Reason.ADMIN)
    print(receipt_line(receipt))


async def _end_closed(services: Services, sid: str) -> Receipt | None:
    """End a session whose record does not open here; return None if there is no record."""
    if not await services.sessions.is_unreadable(sid):
        return None
    _record(services, "end_session", sid=sid)
    return await services.terminations.unopened(sid, Reason.ADMIN)


async def _end_user(services: Services, name: str) -> None:
    user = await _user_to_end(services, name)
    _record(services, "end_sessions", user=user)
    print(receipt_line(await services.terminations.all_of(user, Reason.ADMIN)))


async def _end_everything(services: Services, *, confirmed: bool) -> None:
    if not (confirmed or _confirm()):
        raise CommandFailed("Nothing was ended.")
    _record(services, "end_everything")
    for receipt in await services.terminations.everything(Reason.ADMIN):
        print(receipt_line(receipt))


async def _user_to_end(services: Services, name: str) -> str:
    """Return the user's canonical name, also if only the index of the sessions tells of it.

    The account may be gone, or under other keys. Ends help out of trouble, so they go on.
    """
    user = canonical_username(name)
    is_known = isinstance(user, str) and await services.accounts.find(user) is not None
    if isinstance(user, str) and not is_known and user in await services.sessions.users():
        return user
    return await existing_user(services, name)


def _record(services: Services, act: str, **about: str) -> None:
    services.audit.record(AuditEvent.ADMIN_ACT, **about, act=act)


def _no_live_session(sid: str, found: NoSession) -> str:
    ended = f"; it ended: {found.word}" if found.reason else ""
    return f"There is no live session {sid!r}{ended}."


def _confirm() -> bool:
    return confirm("This ends every session of everybody", "End every session of everybody?")


SESSIONS: Final = CommandGroup(
    "sessions",
    help="list or end sessions, live",
    commands=(
        Command(
            "list",
            help="list live sessions",
            run=with_services(list_sessions),
            arguments=(Argument("--user", type=trimmed),),
        ),
        Command(
            "end",
            help="end sessions live; prints the receipt",
            run=with_services(end, keys_must_fit=False),
            arguments=(
                ExactlyOneOf(
                    Argument("sid", nargs="?", type=trimmed),
                    Argument("--user", type=trimmed),
                    Argument("--all", action="store_true", dest="everybody"),
                ),
                Argument("--yes", action="store_true", dest="confirmed", help="do not ask"),
            ),
        ),
    ),
)
