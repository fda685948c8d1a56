"""`/brand.css`: the colours of the application, kept by browsers as long as they are the same."""

from collections.abc import Sequence

import pytest
from tornado.routing import URLSpec

from handlers.http.additions import Additions
from handlers.http.brand import Brand
from handlers.pages.brand_styles import BrandStyles
from handlers.routes import ROUTES
from tests.support.clients.client import Client

BRAND = Brand("Huddle", colours={"night": "#123"}, dark_colours={"night": "#321"})


@pytest.fixture
def routes() -> Sequence[URLSpec]:
    """Ours, with the colours as each process adds them."""
    return [*ROUTES, URLSpec(r"/brand\.css", BrandStyles)]


@pytest.fixture
def additions() -> Additions:
    """Colours of an application's own."""
    return Additions(brand=BRAND)


@pytest.mark.parametrize(
    ("theme", "colours"),
    [("", ["#123", "#321"]), ("light", ["#123"]), ("dark", ["#123", "#321"])],
)
async def test_the_colours_are_those_of_the_theme_that_a_person_has_chosen(
    client: Client, theme: str, colours: list[str]
) -> None:
    answer = await client.http.get(f"/brand.css?theme={theme}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/css; charset=UTF-8"
    assert [each for each in ("#123", "#321") if each in answer.text] == colours
    assert ("prefers-color-scheme" in answer.text) is (theme == "")


@pytest.mark.parametrize(("version", "seconds"), [(BRAND.styles_version, 86_400), ("other", 0)])
async def test_only_colours_that_are_asked_for_by_their_version_are_kept(
    client: Client, version: str, seconds: int
) -> None:
    answer = await client.http.get(f"/brand.css?v={version}")
    assert answer.headers["Cache-Control"] == f"public, max-age={seconds}"
