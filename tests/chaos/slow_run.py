"""Runs a server with one more address, `/slow`: it answers after a while with its process."""

import asyncio
import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tornado.web import url

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from run import serve

SECONDS = 2.0

log = logging.getLogger("slow")


class SlowHandler(BaseHandler):
    """Serves `GET /slow`."""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        """Say so, and take a while."""
        log.info("slow in %d", os.getpid())
        await asyncio.sleep(SECONDS)
        self.finish_json({"pid": os.getpid()})


if __name__ == "__main__":
    sys.exit(serve([url("/slow", SlowHandler)]))
