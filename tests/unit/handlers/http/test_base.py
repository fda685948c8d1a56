"""What a handler's class alone decides: its methods, who may use them, and what HEAD answers."""

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.languages.texts import MOST_RANGES
from handlers.routes import ROUTES
from handlers.websocket.handler import SocketHandler
from tests.support.clients.requests import request


class Silent(BaseHandler):
    """A handler that says nothing of access."""

    def get(self) -> None:
        """Answer nothing."""


class Notes(Silent):
    """A handler that is stricter where something changes."""

    access = Access.SESSION
    access_to_change = Access.RECENT

    def put(self) -> None:
        """Answer nothing."""


class WriteOnly(BaseHandler):
    """A handler that cannot be read."""

    def post(self) -> None:
        """Answer nothing."""


def test_who_says_nothing_serves_signed_in_people_only() -> None:
    assert Silent.access_for(changes_something=False) is Access.SIGNED_IN
    assert Silent.access_for(changes_something=True) is Access.SIGNED_IN
    assert Silent.before_second_factor is False


def test_what_changes_something_may_be_stricter() -> None:
    assert Notes.access_for(changes_something=False) is Access.SESSION
    assert Notes.access_for(changes_something=True) is Access.RECENT


def test_a_handler_answers_the_methods_that_it_has_and_head_where_it_has_get() -> None:
    assert Silent.methods() == ["GET", "HEAD"]
    assert sorted(Notes.methods()) == ["GET", "HEAD", "PUT"]
    assert WriteOnly.methods() == ["POST"]
    assert BaseHandler.methods() == []


def test_a_socket_answers_no_head() -> None:
    assert SocketHandler.methods() == ["GET"]


def test_of_thousands_of_languages_the_first_are_read(app: Curfew) -> None:
    few = ",".join(["de-x"] * MOST_RANGES)
    handler = Silent(app, request(("Accept-Language", few + ",fr" * 5000)))
    assert handler.locale.code == "en_US"
    assert handler.request.headers["Accept-Language"] == few


def test_no_two_handlers_have_one_name_in_the_metrics() -> None:
    names = [route.handler_class.__name__ for route in ROUTES]
    assert len(set(names)) == len(names)
