"""The list of ways to sign in against the routes: none that is not written down."""

import pytest

from tests.docs.markdown import code, page, table
from tests.support.clients.routes import ways_in

PAGE = page("docs/threat-model.md")


@pytest.mark.proves("6.1.3", "6.3.4")
def test_the_list_has_every_route_where_strangers_may_act_and_no_other() -> None:
    listed = [path for row in table(PAGE, "route") for path in code(row[0])]
    assert len(listed) == len(set(listed))
    assert set(listed) == ways_in()
