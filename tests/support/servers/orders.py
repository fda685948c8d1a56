"""An application with a socket of its own, whose messages need a recently proved password."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tornado.web import url

from handlers.websocket.handler import SocketHandler
from run import serve
from server.core import messages
from server.core.session import Json, Session


class Orders(SocketHandler):
    """Serves `/ws/orders`."""

    recent_only = True

    async def on_data(self, session: Session, data: Json) -> None:
        """Confirm the order."""
        assert self.socket is not None
        self.socket.send(messages.message(str(session.user), data))


if __name__ == "__main__":
    sys.exit(serve([url(r"/ws/orders", Orders)]))
