"""Your own page with the browser client: `python -m examples.messages` serves /messages."""

from pathlib import Path

from curfew import Application, PageHandler


class MessagesHandler(PageHandler):
    async def get(self) -> None:
        await self.render("messages.html")


messages = Application(
    "Messages", routes=[(r"/messages", MessagesHandler)], templates=Path(__file__).parent
)

if __name__ == "__main__":
    raise SystemExit(messages.main())
