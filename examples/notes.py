"""A note for each session: `python -m examples.notes` serves /api/note."""

from curfew import Application, BaseHandler, Body, answer, operation

NOTE = {"type": "string"}


class NoteHandler(BaseHandler):
    def get(self) -> None:
        self.finish_json({"note": self.session.data.get("note")})

    @operation("Change the note.", answer("It.", NOTE), takes=Body({"note": NOTE}))
    async def put(self) -> None:
        await self.write_data(self.read_body().values)
        self.get()


if __name__ == "__main__":
    raise SystemExit(Application("Notes", routes=[(r"/api/note", NoteHandler)]).main())
