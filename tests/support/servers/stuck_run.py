"""A Curfew with an address that blocks the event loop for good."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tornado.web import url

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from run import serve


class Stuck(BaseHandler):
    """Never answers, and lets nobody else be answered."""

    access = Access.PUBLIC

    def get(self) -> None:
        """Block the loop."""
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(serve([url("/stuck", Stuck)]))
