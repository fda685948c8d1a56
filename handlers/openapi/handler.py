"""`GET /openapi.json`: every JSON route, as an OpenAPI 3.1 document."""

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.operation import answer, operation
from handlers.http.origins import FOR_PEOPLE
from handlers.openapi.document import document


class OpenApiHandler(BaseHandler):
    """`GET /openapi.json`"""

    access = Access.PUBLIC
    has_session = False
    destinations = FOR_PEOPLE

    @operation(
        "This description.",
        answer("It.", {"type": "object"}),
        refuses=[problems.UNKNOWN_HOST],
    )
    def get(self) -> None:
        cookie_name = self.application.configuration.cookie_name
        self.finish_json(document(self.application.routes, cookie_name))
