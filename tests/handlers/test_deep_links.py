"""A page that somebody may not see yet: every step on the way to it keeps the whole address."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.pages.base import PageHandler
from handlers.pages.confirmation import ConfirmedForm
from server.services import Services
from tests.support.clients.browser import Browser, form_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App, add_app

pytestmark = pytest.mark.gen_test

ROOM = "/room?id=42&tab=files"
ENCODED = "%2Froom%3Fid%3D42%26tab%3Dfiles"
HOME = "/account/security"


class Room(PageHandler):
    """Shows which room it is."""

    def get(self) -> None:
        """Show it."""
        self.finish("<!doctype html>" + self.request.uri)

    def post(self) -> None:
        """Take a form."""
        self.get()


class Vault(Room):
    """As the room, but only for a recent password."""

    access = Access.RECENT


class Close(ConfirmedForm):
    """Closes a room, for a recent password."""

    async def act(self, *arguments: str) -> None:
        """Say which room."""
        assert not arguments
        self.finish("<!doctype html>" + self.get_query_argument("id"))


@pytest.fixture
def browser(app: Curfew, browser: Browser) -> Browser:
    """A browser of an application with pages of its own."""
    app.add_handlers(".*", [("/room", Room), ("/vault", Vault), ("/close", Close)])
    return browser


async def have_account(browser: Browser) -> None:
    await browser.send("POST", "/api/signup", {"username": "anna", "password": PASSWORD})


async def test_signing_in_leads_back_to_the_page_with_its_query(browser: Browser) -> None:
    await have_account(browser)
    login = sent_to(await browser.send("GET", ROOM))
    assert login == f"/login?next={ENCODED}"
    wrong = await browser.submit(login, "/login", username="anna", password="x" * 20)
    form = form_of(wrong, "/login") | {"password": PASSWORD}
    right = await browser.send("POST", "/login", form=form)
    assert await browser.arrival(right) == ROOM


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        (r"a=C:\dir", "a=C:%5Cdir"),
        ("a=//evil.example", "a=//evil.example"),
        ("next=https://evil.example", "next=https://evil.example"),
        ("a=%0d%0ab&c=%ff", "a=%0d%0ab&c=%ff"),
        ("a=b#c", "a=b#c"),
        ("a+b=|^`{}'\"<>", "a+b=|^`{}'\"<>"),
        ("?", "?"),
    ],
)
async def test_whatever_a_browser_sends_in_a_query_comes_back(
    browser: Browser, query: str, kept: str
) -> None:
    await have_account(browser)
    login = sent_to(await browser.send("GET", f"/room?{query.replace('#', '%23')}"))
    done = await browser.submit(login, "/login", username="anna", password=PASSWORD)
    assert await browser.arrival(done) == f"/room?{kept.replace('#', '%23')}"


async def test_an_address_that_is_too_long_to_lead_back_to_keeps_its_path(browser: Browser) -> None:
    assert sent_to(await browser.send("GET", "/room?a=" + "b" * 2048)) == "/login?next=%2Froom"


async def test_signing_up_leads_back_to_the_page(browser: Browser) -> None:
    login = sent_to(await browser.send("GET", ROOM))
    signup = f"/signup?next={ENCODED}"
    assert page_of(await browser.send("GET", login)).count(f'href="{signup}"') == 2
    assert f'href="/login?next={ENCODED}"' in page_of(await browser.send("GET", signup))
    bad = await browser.submit(signup, "/signup", username="anna", password="short")
    form = form_of(bad, "/signup") | {"password": PASSWORD}
    done = await browser.send("POST", "/signup", form=form)
    assert await browser.arrival(done) == ROOM


async def test_the_second_step_leads_back_to_the_page_and_so_does_starting_over(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("anna")
    app, _ = await add_app(browser, services.clock.now)
    other = new_browser()
    login = sent_to(await other.send("GET", ROOM))
    asked = await other.submit(login, "/login", username="anna", password=PASSWORD)
    assert f'<a href="/login?next={ENCODED}">' in page_of(asked)
    form = form_of(asked, "/login/second-factor") | {"code": app.code()}
    done = await other.send("POST", "/login/second-factor", form=form)
    assert await other.arrival(done) == ROOM


async def test_proving_the_password_again_leads_back_to_the_page_that_asked_for_it(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(301)
    asked = sent_to(await browser.send("GET", "/vault?shelf=7"))
    assert asked == "/reauthenticate?next=%2Fvault%3Fshelf%3D7"
    done = await browser.submit(asked, "/reauthenticate", password=PASSWORD)
    assert sent_to(done) == "/vault?shelf=7"


async def test_a_form_that_asks_for_the_password_keeps_the_query_of_its_address(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(301)
    address = "/close?id=42&tab=files"
    mistaken = f"/close?passwor%64=hush&{address.partition('?')[2]}&code=1"
    answer = await browser.send("POST", mistaken, form={"csrf_token": browser.csrf_token})
    for password in ("x" * 20, PASSWORD):
        form = form_of(answer, address.replace("&", "&amp;")) | {"password": password}
        answer = await browser.send("POST", address, form=form)
    assert page_of(answer) == "<!doctype html>42"


async def test_who_is_signed_out_meanwhile_signs_in_and_is_back_without_a_further_question(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(301)
    asked = sent_to(await browser.send("GET", "/vault?shelf=7"))
    browser.cookie = ""
    login = sent_to(await browser.send("GET", asked))
    assert login == "/login?next=%2Fvault%3Fshelf%3D7"


@pytest.mark.parametrize(
    ("referer", "login"),
    [
        ("{url}" + ROOM, f"/login?next={ENCODED}"),
        ("{url}", "/login"),
        ("http://evil.example" + ROOM, "/login"),
        ("{url}.evil.example" + ROOM, "/login"),
        ("{url}//evil.example", "/login"),
        ("http://[", "/login"),
        ("", "/login"),
    ],
)
async def test_a_form_leads_back_to_the_page_that_it_was_on_if_that_is_ours(
    browser: Browser, referer: str, login: str
) -> None:
    sent = await browser.send(
        "POST", "/room", form={"a": "b"}, Referer=referer.format(url=browser.url)
    )
    assert sent_to(sent) == login


@pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}])
async def test_who_owes_a_second_factor_sets_it_up_and_goes_on_to_the_page(
    browser: Browser, services: Services
) -> None:
    await have_account(browser)
    login = sent_to(await browser.send("GET", ROOM))
    done = await browser.submit(login, "/login", username="anna", password=PASSWORD)
    security = await browser.arrival(done)
    assert security == sent_to(await browser.send("GET", ROOM)) == f"{HOME}?next={ENCODED}"
    setup = await browser.submit(security, f"{HOME}/totp")
    secret = page_of(setup).partition('class="secret">')[2].partition("<")[0].replace(" ", "")
    app = App(secret, services.clock.now)
    form = form_of(setup, f"{HOME}/totp/confirm")
    wrong = await browser.send("POST", f"{HOME}/totp/confirm", form=form | {"code": "000000"})
    form = form_of(wrong, f"{HOME}/totp/confirm") | {"code": app.code(0)}
    added = page_of(await browser.send("POST", f"{HOME}/totp/confirm", form=form))
    assert 'id="go-on" href="/room?id=42&amp;tab=files"' in added
    assert (await browser.send("GET", ROOM)).code == 200


@pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}])
async def test_who_owes_the_proof_of_a_second_factor_gives_it_and_is_on_the_page(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    other = new_browser()
    await browser.sign_up("anna")
    await other.sign_in("anna")
    app, _ = await add_app(browser, services.clock.now)
    security = sent_to(await other.send("GET", ROOM))
    way = f"/reauthenticate?next={ENCODED}"
    assert f'href="{way}"' in page_of(await other.send("GET", security))
    proved = await other.submit(way, "/reauthenticate", password=PASSWORD, code=app.code())
    assert sent_to(proved) == ROOM


async def test_a_step_whose_address_is_opened_by_hand_still_knows_where_to(
    browser: Browser,
) -> None:
    for step in ("second-factor", "passkey"):
        login = sent_to(await browser.send("GET", f"/login/{step}?next={ENCODED}"))
        assert login == f"/login?next={ENCODED}"


async def test_a_browser_that_keeps_no_cookie_is_told_so_and_can_try_again(
    browser: Browser,
) -> None:
    page = page_of(await browser.send("GET", f"/login?next={ENCODED}&signed-in=1"))
    assert f'href="/login?next={ENCODED}"' in page


@pytest.mark.parametrize("given", ["//evil.example", "https://evil.example", "/\\evil.example"])
@pytest.mark.proves("A75", "3.7.2")
async def test_no_step_leads_to_another_site(browser: Browser, given: str) -> None:
    await browser.sign_up("anna")
    given = quote(given, safe="")
    pages = [
        await browser.send("GET", f"{path}?next={given}")
        for path in (HOME, "/login/second-factor", "/signup", "/reauthenticate", "/", "/login")
    ]
    browser.cookie = ""
    pages += [await browser.send("GET", f"{path}?next={given}") for path in ("/login", "/signup")]
    for page in pages:
        assert b"evil" not in page.body
        assert "evil" not in page.headers.get("Location", "")


async def test_a_next_that_cannot_be_read_breaks_no_page(browser: Browser) -> None:
    for path in ("/", "/logout", "/nowhere", "/account"):
        answer = await browser.send("GET", f"{path}?next=%ff")
        assert answer.code in {200, 303, 404}
