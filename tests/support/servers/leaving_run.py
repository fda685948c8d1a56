"""Runs Curfew with addresses that a browser opens without leaving its page, or only late."""

import asyncio
import sys
from pathlib import Path

from tornado.web import url

sys.path.insert(0, str(Path(__file__).parents[3]))

from handlers.http.access import Access
from handlers.pages.base import PageHandler
from run import serve

SLOW_SECONDS = 8


class Slow(PageHandler):
    """Takes its time."""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        """Show the start page, late."""
        await asyncio.sleep(SLOW_SECONDS)
        self.render("index.html")


class File(PageHandler):
    """A file to keep: the browser stays on the page that it had."""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        """Send it slowly, as large files are sent."""
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", 'attachment; filename="file.bin"')
        for _ in range(SLOW_SECONDS):
            self.write(b"0" * 65_536)
            await self.flush()
            await asyncio.sleep(0.5)


class Nothing(PageHandler):
    """An answer without a page (204): the browser stays on the page that it had."""

    access = Access.SIGNED_IN

    async def get(self) -> None:
        """Say so."""
        self.set_status(204)


if __name__ == "__main__":
    raise SystemExit(serve([url("/slow", Slow), url("/file", File), url("/nothing", Nothing)]))
