"""What commands print, and how they fail."""

import json
from datetime import UTC, datetime

from server.core.receipt import Receipt
from server.store.contract import ListedSession


class CommandFailed(Exception):
    """The command could not be carried out; its text says why, for the person who typed it."""


def print_receipt(receipt: Receipt) -> None:
    """The receipt, as the HTTP API has it."""
    print(json.dumps(receipt.as_json()))


def print_listed(listed: ListedSession) -> None:
    """One session on one line."""
    session = listed.session
    active = datetime.fromtimestamp(session.last_active_at, UTC).isoformat(timespec="seconds")
    print(
        f"{session.sid}  {session.user}  active {active}  {listed.sockets} sockets  "
        f"{session.device.ip}  {session.device.user_agent}"
    )
