"""Application data between the sockets of a user, sealed on its way through the store."""

import logging

from server.core import messages, strict_json
from server.core.events import MessageSent
from server.core.room_frames import SharedFrame
from server.core.session import Json
from server.crypto.sealer import Sealer
from server.realtime.hub import Hub
from server.store.stream_contract import ControlLog

log = logging.getLogger("curfew.messenger")

PURPOSE = "message 1"


class Messenger:
    """Sends messages to all nodes, and delivers incoming ones to the sockets on this node.

    Args:
        hub: the sockets on this node.
        control: carries messages to all nodes.
        sealer: binds each message to its user.
    """

    def __init__(self, hub: Hub, control: ControlLog, sealer: Sealer) -> None:
        self._hub = hub
        self._control = control
        self._sealer = sealer

    async def send(self, user: str, connection: str, data: Json) -> None:
        """Send data to all other sockets of the user, at most once.

        Args:
            user: the canonical user name.
            connection: the id of the socket that sends it.
            data: any JSON value.

        Raises:
            StoreUnavailable: it is not known whether the message was sent.
        """
        plaintext = strict_json.encode(data).encode("ascii")
        box = self._sealer.seal(plaintext, purpose=PURPOSE, context=user)
        await self._control.send(MessageSent(user, connection, box))

    def deliver(self, message: MessageSent) -> int:
        """Send a message to the user's other sockets on this node; return how many there are."""
        opened = self._sealer.open(message.box, purpose=PURPOSE, context=message.user)
        if opened is None:
            log.warning("a message did not open and was dropped", extra={"user": message.user})
            return 0
        frame = messages.message(message.connection, strict_json.parse(opened.plaintext))
        return self._hub.share_with_user(message.user, SharedFrame(frame), but=message.connection)
