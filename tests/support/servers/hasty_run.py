"""An application whose sockets may send and open as much as a test likes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tornado.web import url

from handlers.websocket.handler import SocketHandler
from run import serve
from server.core.limits import Limits
from server.core.rate import Rate

NO_LIMIT = Rate(per_second=1e6, burst=10**6)


class Hasty(SocketHandler):
    """Serves `/ws` in place of Curfew's own."""

    limits = Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT, 10**6, 10**6)


if __name__ == "__main__":
    sys.exit(serve([url(r"/ws", Hasty)]))
