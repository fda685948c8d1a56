"""Your own page with the browser client: `python -m examples.messages` serves /messages."""

from pathlib import Path

from tornado.web import url

from handlers.http.access import Access
from handlers.pages.base import PageHandler
from run import serve


class MessagesHandler(PageHandler):
    access = Access.SIGNED_IN

    def get_template_path(self) -> str:
        return str(Path(__file__).parent)

    async def get(self) -> None:
        await self.render("messages.html")


if __name__ == "__main__":
    raise SystemExit(serve([url(r"/messages", MessagesHandler)]))
