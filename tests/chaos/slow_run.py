"""Runs a server with one more address, `/slow`: it answers after a while with its process."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tornado.web import url

from handlers.access import Access
from handlers.base import BaseHandler
from run import serve

SECONDS = 2.0


class SlowHandler(BaseHandler):
    """Serves `GET /slow`."""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        """Take a while."""
        await asyncio.sleep(SECONDS)
        self.finish_json({"pid": os.getpid()})


if __name__ == "__main__":
    sys.exit(serve([url("/slow", SlowHandler)]))
