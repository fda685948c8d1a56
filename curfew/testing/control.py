"""What a test asks of the processes of its server: to move their clock, to end sessions.

Each process listens on a Unix socket in the server's folder, and answers each line with a line.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from handlers.http.node import Node
from server.core.reasons import Reason
from server.core.session import Session

ENDING: Final = ".control"
PATIENCE_SECONDS: Final = 10.0


def move_clock(node: Node) -> Callable[[float], None]:
    """Return what moves this process's clock forward by some seconds, for good.

    Args:
        node: this process.
    """
    clock, ahead = node.services.clock, 0.0
    learn = clock.learn

    def learn_ahead(store_time: float, *, asked_at: float) -> None:
        learn(store_time + ahead, asked_at=asked_at)

    def forward(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds
        learn(clock.now() + seconds, asked_at=time.monotonic())

    clock.learn = learn_ahead  # type: ignore[method-assign]  # only in tests
    return forward


async def end_session(node: Node, sid: str, reason: Reason = Reason.ADMIN) -> bool:
    """End a session now; return whether there was one.

    Args:
        node: this process.
        sid: the id of the session.
        reason: why it ends.
    """
    session = await node.services.sessions.current(sid)
    if not isinstance(session, Session):
        return False
    return (await node.services.terminations.one(session, reason)).sessions > 0


class Control:
    """Answers a test in a process of the server.

    Args:
        folder: where the socket is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def run(self, node: Node) -> None:
        """Answer until the process stops."""
        forward = move_clock(node)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            match json.loads(await reader.readline()):
                case {"travel": seconds}:
                    forward(seconds)
                    answered: object = node.now()
                case {"end": sid, "reason": reason}:
                    answered = await end_session(node, sid, Reason(reason))
                case _:
                    answered = None
            writer.write(json.dumps(answered).encode() + b"\n")
            await writer.drain()
            writer.close()

        path = self._folder / f"{os.getpid()}{ENDING}"
        listening = await asyncio.start_unix_server(answer, path)
        try:
            await asyncio.Event().wait()
        finally:
            listening.close()
            path.unlink(missing_ok=True)


def ask_all(folder: Path, question: dict[str, Any]) -> list[Any]:
    """Ask all processes whose sockets are in the folder; return the answers of those that live."""
    answers = []
    for each in sorted(folder.glob(f"*{ENDING}")):
        with suppress(ConnectionError):  # its process was killed
            answers.append(ask(each, question))
    return answers


def ask(path: Path, question: dict[str, Any]) -> Any:
    """Ask one process, and return its answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE_SECONDS)
        asking.connect(str(path))
        asking.sendall(json.dumps(question).encode() + b"\n")
        return json.loads(asking.makefile().readline())
