"""An application with templates and problems of its own: no page is empty, no word is lost."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tornado.web import HTTPError

from handlers.http.access import Access
from handlers.http.application import Curfew
from handlers.http.body import MAX_BODY_BYTES
from handlers.http.problems import (
    BUSY,
    UNAVAILABLE,
    Problem,
    ProblemRaised,
    bad_request,
    throttled,
)
from handlers.pages.base import PageHandler
from handlers.pages.confirmation import ConfirmedForm
from server.core.errors import StoreUnavailable
from tests.support.clients.browser import Browser, form_of, page_of
from tests.support.clients.client import PASSWORD

pytestmark = pytest.mark.gen_test

FULL = Problem(409, "room-full", "The room is full", "Room 42 has no <seat> left.")
GONE = Problem(404, "not-found", "No such room", "There is no room 43.", extra={"count": 1})
ODD = Problem(429, "throttled", "Too many tries", "Wait a little.")
MINE = "<!doctype html><p>{{ room }}"


class Room(PageHandler):
    """Does what its query says."""

    access = Access.PUBLIC
    folder = ""

    def get_template_path(self) -> str:
        """Return the application's folder."""
        return self.folder

    def get(self) -> None:
        """Show the room, or fail."""
        match self.get_query_argument("fail", ""):
            case "":
                self.render("room.html", room="Room 42")
            case "store":
                raise StoreUnavailable("a test")
            case "bug":
                raise RuntimeError
            case status:
                raise HTTPError(int(status))


class Failing(Room):
    """Answers with a problem."""

    problem = FULL

    def get(self) -> None:
        """Fail."""
        raise ProblemRaised(self.problem)


class Booking(ConfirmedForm):
    """A form that needs a recent password."""

    folder = ""
    carried = ("room",)

    def get_template_path(self) -> str:
        """Return the application's folder."""
        return self.folder

    async def act(self, *_: str) -> None:
        """Book."""
        raise ProblemRaised(FULL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The application's templates: one, and one with a name that ours have too."""
    (tmp_path / "room.html").write_text(MINE, "utf-8")
    (tmp_path / "base.html").write_text("<!doctype html>{{ no_such_name }}", "utf-8")
    return tmp_path


@pytest.fixture
def browser(
    app: Curfew, browser: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Browser:
    """A browser of that application."""
    for handler in (Room, Booking):
        monkeypatch.setattr(handler, "folder", str(folder))
    app.add_handlers(".*", [("/room", Room), ("/full", Failing), ("/booking", Booking)])
    return browser


async def test_the_applications_page_is_shown_by_its_own_template(browser: Browser) -> None:
    assert page_of(await browser.send("GET", "/room")) == MINE.replace("{{ room }}", "Room 42")


@pytest.mark.parametrize(
    ("fail", "status"),
    [
        ("404", 404), ("403", 403), ("418", 418), ("413", 413), ("429", 429), ("500", 500),
        ("503", 503), ("bug", 500), ("store", 503),
    ],
)  # fmt: skip
async def test_each_error_has_a_page(browser: Browser, fail: str, status: int) -> None:
    answer = await browser.send("GET", f"/room?fail={fail}")
    assert answer.code == status
    assert f'data-status="{status}"' in page_of(answer)
    assert "</html>" in page_of(answer)


async def test_so_has_what_is_refused_before_a_handler_runs(browser: Browser) -> None:
    refused = {
        405: await browser.send("DELETE", "/room"),
        421: await browser.send("GET", "/room", Host="elsewhere.example"),
        403: await browser.send("POST", "/room", form={}, Origin="http://evil.example"),
        413: await browser.send("GET", "/room", raw=b"x" * (MAX_BODY_BYTES + 1)),
    }
    for status, answer in refused.items():
        assert answer.code == status
        assert f'data-status="{status}"' in page_of(answer)


async def test_a_page_of_ours_that_the_application_lacks_is_ours_in_all_its_parts(
    browser: Browser, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("anna")
    travel(301)
    form = {"csrf_token": browser.csrf_token, "room": "42"}
    asked = await browser.send("POST", "/booking", form=form)
    assert asked.code == 403
    assert form_of(asked, "/booking")["room"] == "42"
    confirmed = form_of(asked, "/booking") | {"password": PASSWORD}
    refused = await browser.send("POST", "/booking", form=confirmed)
    assert refused.code == 409
    assert "Room 42 has no &lt;seat&gt; left." in page_of(refused)
    assert await browser.is_live()  # the proof changed the token, and the answer brought it


@pytest.mark.parametrize("problem", [FULL, GONE, ODD])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_applications_own_problem_keeps_its_words(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, problem: Problem, language: str
) -> None:
    monkeypatch.setattr(Failing, "problem", problem)
    answer = await browser.send("GET", "/full", Accept_Language=language)
    assert answer.code == problem.status
    page = page_of(answer)
    assert f"<h1>{problem.title}</h1>" in page
    assert problem.detail.replace("<", "&lt;").replace(">", "&gt;") in page


@pytest.mark.parametrize("problem", [UNAVAILABLE, BUSY, bad_request("It is odd.")])
async def test_our_problems_have_the_words_of_the_pages_language(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, problem: Problem
) -> None:
    monkeypatch.setattr(Failing, "problem", problem)
    page = page_of(await browser.send("GET", "/full", Accept_Language="de"))
    assert problem.title not in page
    assert problem.detail not in page


async def test_an_application_may_have_a_page_of_its_own_for_errors(
    browser: Browser, folder: Path
) -> None:
    (folder / "error.html").write_text("<!doctype html>{{ status }} {{ heading }}: {{ detail }}")
    answer = await browser.send("GET", "/full")
    assert page_of(answer) == (
        "<!doctype html>409 The room is full: Room 42 has no &lt;seat&gt; left."
    )


@pytest.mark.parametrize(
    "template", ["{{ no_such_name }}", "{% broken", "{% include 'none.html' %}"]
)
async def test_if_that_page_is_broken_ours_is_shown(
    browser: Browser, folder: Path, template: str
) -> None:
    (folder / "error.html").write_text(template, "utf-8")
    answer = await browser.send("GET", "/full")
    assert answer.code == 409
    assert "<h1>The room is full</h1>" in page_of(answer)


async def test_if_all_else_fails_the_words_are_shown(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: PageHandler) -> dict[str, object]:
        raise RuntimeError

    monkeypatch.setattr(Failing, "get_template_namespace", broken)
    answer = await browser.send("GET", "/full")
    assert answer.code == 409
    assert "Room 42 has no &lt;seat&gt; left." in page_of(answer)


async def test_a_wait_is_told_in_the_language_of_the_page(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "problem", throttled(timedelta(seconds=7)))
    assert "7" in page_of(await browser.send("GET", "/full", Accept_Language="de"))
