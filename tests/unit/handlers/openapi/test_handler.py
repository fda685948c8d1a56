"""The description of an application is made once."""

import json

from handlers.http.application import Curfew
from handlers.openapi.document import document
from handlers.openapi.handler import document_of


async def test_the_description_of_an_application_is_made_once(app: Curfew) -> None:
    text = document_of(app)
    assert json.loads(text) == document(app.routes, app.configuration.cookie_name)
    assert document_of(app) is text
