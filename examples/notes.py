"""A note for each session: `python -m examples.notes` serves /api/note."""

from tornado.web import url

from handlers.http.base import BaseHandler
from handlers.http.body import read_object
from run import serve


class NoteHandler(BaseHandler):
    def get(self) -> None:
        self.finish_json({"note": self.session.data.get("note")})

    async def put(self) -> None:
        await self.write_data(read_object(self.request, {"note": str}))
        self.get()


if __name__ == "__main__":
    raise SystemExit(serve([url(r"/api/note", NoteHandler)]))
