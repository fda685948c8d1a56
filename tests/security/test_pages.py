"""What every page shows, whoever looks at it."""

from html.parser import HTMLParser

import pytest

from tests.support.clients.people import People
from tests.support.clients.routes import all_routes

PAGES = sorted(route.path for route in all_routes() if "GET" in route.methods and not route.is_api)
SCRIPTS = ["/static/js/page.js", "/static/js/session.js", "/static/js/protocol.js"]


class Forms(HTMLParser):
    """The forms and fields of a page.

    Attributes:
        forms: method and action of each form.
        fields: the attributes of each input.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, str]] = []
        self.fields: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what matters of a tag."""
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given.get("method") or "get", given.get("action") or ""))
        elif tag == "input":
            self.fields.append(given)


@pytest.mark.proves("7.4.4")
async def test_every_page_of_somebody_signed_in_shows_the_way_out(people: People) -> None:
    client = await people.somebody()
    seen = 0
    for path in PAGES:
        answer = await client.request("GET", path)
        if answer.status_code == 200:
            assert ("post", "/logout") in Forms(answer.text).forms, path
            seen += 1
    assert seen >= 3


@pytest.mark.proves("6.2.6")
async def test_passwords_are_masked_and_managers_are_told_which(people: People) -> None:
    visitor, client = await people.visitor(), await people.somebody()
    pages = [await visitor.request("GET", path) for path in ("/login", "/signup")]
    pages += [await client.request("GET", path) for path in ("/account", "/reauthenticate")]
    fields = [field for page in pages for field in Forms(page.text).fields]
    passwords = [field for field in fields if "password" in (field.get("name") or "")]
    assert len(passwords) >= 5
    for field in passwords:
        assert field["type"] == "password"
        assert field["autocomplete"] in {"current-password", "new-password"}
        assert not {"onpaste", "maxlength", "readonly"} & field.keys()


@pytest.mark.proves("3.5.6")
@pytest.mark.parametrize("script", SCRIPTS)
async def test_scripts_are_the_same_for_everybody(people: People, script: str) -> None:
    visitor, client = await people.visitor(), await people.somebody()
    to_visitor = await visitor.request("GET", script)
    to_client = await client.request("GET", f"{script}?callback=steal")
    assert to_visitor.status_code == to_client.status_code == 200
    assert to_visitor.content == to_client.content


@pytest.mark.proves("3.2.2", "1.2.1", "A82")
async def test_what_a_browser_says_of_itself_is_text_on_the_page(people: People) -> None:
    visitor = await people.visitor()
    visitor.http.headers["User-Agent"] = "<svg onload=alert(1)>\"'&amp;" + "x" * 10_000
    client = await visitor.sign_up("with-markup")
    page = (await client.request("GET", "/account")).text
    assert "<svg onload" not in page
    assert "x" * 300 not in page
