"""A Curfew with an address that takes a while, and then writes to the session's data."""

import asyncio
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tornado.web import url

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from run import serve

SECONDS = 2.0

log = logging.getLogger("late")


class LateWrite(BaseHandler):
    """Serves `POST /late`."""

    access = Access.SIGNED_IN

    async def post(self) -> None:
        """Say so, take a while, and write."""
        log.warning("a late write begins")
        await asyncio.sleep(SECONDS)
        await self.write_data({"late": True})
        self.finish_json({"written": True})


if __name__ == "__main__":
    sys.exit(serve([url("/late", LateWrite)]))
