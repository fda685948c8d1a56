"""The application that a process serves: an application's routes come first."""

from tornado.web import url

from handlers.http.additions import NOTHING, Additions
from handlers.http.base import BaseHandler
from handlers.http.brand import Brand
from handlers.http.node import Node
from handlers.routes import ROUTES
from handlers.serving.process import application_of
from server.services import Services
from settings import Settings


async def test_its_routes_come_first_and_its_colours_have_one(
    services: Services, configuration: Settings
) -> None:
    node = Node(services, configuration, serves=True)
    plain = application_of(services, configuration, NOTHING, node)
    assert list(plain.routes) == ROUTES
    own = url("/", BaseHandler)
    brand = Brand("Huddle", colours={"night": "#123456"})
    served = application_of(services, configuration, Additions([own], brand), node)
    assert served.routes[0] is own
    assert [each.regex.pattern for each in served.routes[1 : -len(ROUTES)]] == [r"/brand\.css$"]
