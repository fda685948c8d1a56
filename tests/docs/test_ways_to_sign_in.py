"""The list of ways to sign in against the routes: none that is not written down."""

import pytest
from tornado.routing import PathMatches

from handlers.access import Access
from handlers.base import BaseHandler
from handlers.routes import ROUTES
from tests.docs.markdown import code, page, table
from tests.support.routes import all_routes

PAGE = page("docs/threat-model.md")
OUT = {"/logout"}


def acting_for_anybody() -> set[str]:
    """Addresses where somebody without a session can do something."""
    public = {
        route.matcher.regex.pattern.rstrip("$")
        for route in ROUTES
        if isinstance(route.matcher, PathMatches)
        and issubclass(route.handler_class, BaseHandler)
        and route.handler_class.access is Access.PUBLIC
    }
    return {each.path for each in all_routes() if each.path in public and "POST" in each.methods}


@pytest.mark.proves("6.1.3", "6.3.4")
def test_the_list_has_every_route_that_lets_strangers_act_and_no_other() -> None:
    listed = [path for row in table(PAGE, "route") for path in code(row[0])]
    assert len(listed) == len(set(listed))
    assert set(listed) == acting_for_anybody() - OUT
