"""`GET /openapi.json`: every JSON route, as an OpenAPI 3.1 document."""

from typing import Final
from weakref import WeakKeyDictionary

from tornado.escape import json_encode

from handlers.http import problems
from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.base import BaseHandler
from handlers.http.operation import answer, operation
from handlers.http.origins import FOR_PEOPLE
from handlers.openapi.document import document

DOCUMENTS: Final = WeakKeyDictionary[Curfew, str]()
"""Of each application, made once: strangers may ask for it, and making it takes milliseconds."""


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
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(document_of(self.application))


def document_of(application: Curfew) -> str:
    """Return the description of an application as JSON."""
    text = DOCUMENTS.get(application)
    if text is None:
        described = document(
            application.routes,
            application.configuration.cookie_name,
            application.base_path.path,
            application.additions.brand.name,
        )
        text = DOCUMENTS[application] = json_encode(described)
    return text
