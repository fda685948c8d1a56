"""All routes as a client sees them: an address for each pattern, and what it answers."""

from dataclasses import dataclass

from tornado.routing import PathMatches
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.routes import ROUTES

METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
UNSAFE = ("POST", "DELETE", "PATCH", "PUT")
NOBODY = "00" + "A" * 22
"""The id of no session; also no user's name."""
LOOK = "/look"
"""The switches for language and colours: all that changes something and reads no session."""


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        path: an address that it takes.
        methods: what its handler has a method for; HEAD wherever GET, but where that opens a
            WebSocket.
        handler: what answers it.
    """

    path: str
    methods: frozenset[str]
    handler: type[BaseHandler]

    @property
    def is_api(self) -> bool:
        """Whether it speaks JSON when it refuses."""
        return self.path.startswith("/api/") or self.path in _FOR_PROGRAMS

    @property
    def lets_strangers_post(self) -> bool:
        """Whether somebody without a session can do something here."""
        return self.handler.access is Access.PUBLIC and "POST" in self.methods


def ways_in() -> set[str]:
    """Addresses where somebody without a session may post: all that sign in, and signing up."""
    return {each.path for each in all_routes() if each.lets_strangers_post} - {"/logout", LOOK}


_FOR_PROGRAMS = {"/ws", "/healthz", "/readyz", "/metrics", "/openapi.json"}


def all_routes() -> list[Route]:
    """Every route of ours."""
    return [
        Route(_address(route.matcher), _methods(route.handler_class), _ours(route.handler_class))
        for route in ROUTES
        if isinstance(route.matcher, PathMatches)
    ]


def _address(matcher: PathMatches) -> str:
    path = matcher.reverse(*[NOBODY] * matcher.regex.groups)
    assert path is not None, matcher.regex.pattern
    return path


def _ours(handler: type[RequestHandler]) -> type[BaseHandler]:
    assert issubclass(handler, BaseHandler)
    return handler


def _methods(handler: type[RequestHandler]) -> frozenset[str]:
    def has(method: str) -> bool:
        name = method.lower()
        return getattr(handler, name) is not getattr(RequestHandler, name)

    found = {method for method in METHODS if method != "HEAD" and has(method)}
    reads = "GET" in found and not issubclass(handler, WebSocketHandler)
    return frozenset(found | {"HEAD"} if reads else found)
