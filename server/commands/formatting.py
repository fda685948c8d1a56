"""The lines that commands print."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from server.core.factors import Factors
from server.core.plurals import counted
from server.core.receipt import Receipt
from server.store.contract import ListedSession

RecordCounts = Counter[tuple[str, int | None]]
"""How many records there are, by their kind and the version of the key that sealed them."""


def receipt_line(receipt: Receipt) -> str:
    """Return the receipt as the HTTP API sends it."""
    return json.dumps(receipt.as_json())


def session_line(listed: ListedSession) -> str:
    """Return one session of a list."""
    session = listed.session
    remembered = "  remembered" if session.remember else ""
    active = datetime.fromtimestamp(session.last_active_at, UTC).isoformat(timespec="seconds")
    return (
        f"{session.sid}  {session.user}  active {active}  {counted(listed.sockets, 'socket')}  "
        f"{session.device.ip}  {session.device.user_agent}{remembered}"
    )


def removed_factors_line(removed: Factors) -> str:
    """Say which second factors were removed from an account."""
    app = "the app" if removed.totp else "no app"
    passkeys = counted(len(removed.passkeys), "passkey")
    return f"Removed {app} and {passkeys}, with their recovery codes."


def key_line(
    position: int,
    version: int,
    counts: RecordCounts,
    rings: Collection[tuple[int, ...]],
    cookies_left: timedelta,
) -> str:
    """Return one key of a list, with what depends on it.

    Args:
        position: of the key in the list, counted from 1.
        version: of the key.
        counts: of all records in the store.
        rings: the versions that each running server has, newest first.
        cookies_left: how long cookies signed with the key may still be used; 0 for no cookies.
    """
    have = sum(version in ring for ring in rings)
    write = sum(ring[:1] == (version,) for ring in rings)
    cookies = f"cookies for {hours(cookies_left)} more" if cookies_left else "no cookies"
    return (
        f"{position}  {version}  {records(version, counts)}, {cookies}, "
        f"had by {have} and written with by {write} of {counted(len(rings), 'server')}"
    )


def records(version: int, counts: RecordCounts) -> str:
    """Say how many records of each kind a key sealed."""
    return (
        f"{counted(counts['session', version], 'session')}, "
        f"{counted(counts['account', version], 'account')} and "
        f"{counted(counts['activity', version], 'list of activity', 'lists of activity')}"
    )


def hours(left: timedelta) -> str:
    """Return a time left in hours and minutes, rounded up."""
    minutes = -(-int(left.total_seconds()) // 60)
    return f"{minutes // 60} h {minutes % 60} min"
