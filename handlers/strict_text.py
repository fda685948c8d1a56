"""Tornado's WebSocket protocol, but for text that is not UTF-8: the client is told so.

Tornado cuts the connection without a close frame. A client takes that for a fault of the network,
comes back, and sends the same again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tornado.websocket import WebSocketHandler, WebSocketProtocol13

TEXT: Final = 0x1
"""Opcode of a text message (RFC 6455 5.6)."""


class StrictTextProtocol(WebSocketProtocol13):
    """One connection's framing.

    Args:
        handler: of the connection.
        like: the protocol that Tornado would use, which is replaced.
        on_bad_text: called in place of `on_message`; closes the connection.
    """

    def __init__(
        self,
        handler: WebSocketHandler,
        like: WebSocketProtocol13,
        on_bad_text: Callable[[], None],
    ) -> None:
        super().__init__(handler, like.mask_outgoing, like.params)
        self._on_bad_text = on_bad_text

    # Tornado has no public place for this; a socket test notices when the name changes.
    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        if opcode == TEXT and not _is_utf8(data):
            self._on_bad_text()
            return None
        return super()._handle_message(opcode, data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
