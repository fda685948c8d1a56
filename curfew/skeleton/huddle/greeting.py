"""One page, one JSON handler, and one socket message."""

from typing import Any

from curfew import (
    BaseHandler,
    Body,
    PageHandler,
    Problem,
    ProblemRaised,
    Session,
    SocketHandler,
    answer,
    operation,
)

GREETING = {
    "type": "object",
    "properties": {"greeting": {"type": "string"}},
    "required": ["greeting"],
}
TOO_LONG = Problem(422, "greeting-too-long", "The greeting is too long", "Choose a shorter one.")


class GreetingPage(PageHandler):
    """`/greeting`: for people who are signed in; others are sent to the login page and back."""

    def get(self) -> None:
        """Show the page."""
        self.render("greeting.html", greeting=greeting_of(self))


class Greeting(BaseHandler):
    """`/api/greeting`: the greeting of a session."""

    @operation("The greeting of this session.", answer("It.", GREETING))
    def get(self) -> None:
        """Answer with it."""
        self.finish_json({"greeting": greeting_of(self)})

    @operation(
        "Change the greeting.",
        answer("The new one.", GREETING),
        takes=Body({"greeting": {"type": "string"}}),
        refuses=[TOO_LONG],
    )
    async def put(self) -> None:
        """Keep it in the session."""
        greeting = self.read_body().text("greeting")
        if len(greeting) > self.node.settings.longest_greeting:
            raise ProblemRaised(TOO_LONG)
        await self.write_data({"greeting": greeting})
        self.node.state.greetings.labels(self.node.id).inc()
        self.get()


class Waves(SocketHandler):
    """`/ws/waves`: who waves in one tab is seen in all others of the same person."""

    async def on_data(self, session: Session, data: Any) -> None:
        """Send a wave on, and nothing else."""
        if data == "wave" and self.socket is not None:
            await self.socket.forward(session, {"waves": session.user})


def greeting_of(handler: BaseHandler) -> str:
    """Return the greeting of a request's session."""
    chosen = handler.session.data.get("greeting")
    return str(chosen or handler.node.settings.greeting)
