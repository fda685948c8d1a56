"""What becomes of the choice to be remembered, under this server's setting."""

from handlers.http.session import SessionHandler
from server.core.remembering import remembered


def remember_choice(handler: SessionHandler, chosen: bool | None) -> bool | None:  # noqa: FBT001
    """Return what a sign-in gets: True, False, or None for the ordinary cookie.

    Args:
        handler: of the request.
        chosen: what the client chose; None if it did not.
    """
    return remembered(handler.application.configuration.remember, chosen)
