"""A client that asks for one thing after another, and measures how long each answer takes."""

import re
import socket
import time
from types import TracebackType
from typing import Final, Self

from benchmarks.running import NotMeasurable

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """One connection, kept alive.

    Args:
        port: of the server, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> float:
        """Send a request and read the answer; return the seconds from the one to the other.

        Raises:
            NotMeasurable: the answer is no 2xx, or the connection was cut.
        """
        began = time.perf_counter()
        self._socket.sendall(request)
        answer = b""
        while not _is_whole(answer):
            piece = self._socket.recv(65536)
            if not piece:
                raise NotMeasurable(f"The connection was cut after {answer!r}.")
            answer += piece
        taken = time.perf_counter() - began
        if not answer.startswith(b"HTTP/1.1 2"):
            raise NotMeasurable(f"The answer is {answer!r}.")
        return taken

    def __enter__(self) -> Self:
        """Return the client; it is connected."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._socket.close()


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and (length is None or len(body) >= int(length[1]))
