"""Curfew with waits short enough for a test, and few files."""

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from handlers.front import connection
from handlers.http import application
from handlers.serving import process
from handlers.websocket import strict_protocol
from run import serve

FILES = 128 + 64
"""So that there are 64 places for connections."""

application.PING_INTERVAL = 1  # type: ignore[misc]
connection.UNREAD_SECONDS = 2.0  # type: ignore[attr-defined]
process.FIRST_TIMEOUT = 3.0  # type: ignore[misc]
strict_protocol.MESSAGE_SECONDS = 1.0  # type: ignore[attr-defined]

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    sys.exit(serve())
