"""The core of it once more, in Firefox: other engine, other cookie jar, other sockets."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.browsers.firefox import Firefox, Tab, firefox
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

NOTE_COVER = """() => {
  const root = document.documentElement;
  const look = () => { window.covered ||= root.matches('[data-unverified]'); };
  new MutationObserver(look).observe(root, { attributes: true });
}"""
FETCHED = """() => performance.getEntriesByType('resource')
  .filter(({ name }) => name.endsWith('/account')).length"""

Opened = Callable[[], Tab]


@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    """One Firefox for the tests of this file."""
    with firefox() as running:
        yield running
        assert running.faults() == []


@pytest.fixture
def computer(fox: Firefox, server: CurfewServer) -> Iterator[Opened]:
    """Opens tabs of one window."""
    window = fox.window()
    yield lambda: fox.open(window, server.url)
    fox.close(window)


@pytest.fixture
def laptop(fox: Firefox, server: CurfewServer) -> Iterator[Opened]:
    """Opens tabs of another window, which has other cookies."""
    window = fox.window()
    yield lambda: fox.open(window, server.url)
    fox.close(window)


@pytest.fixture
def page(computer: Opened, username: str) -> Tab:
    """A tab of somebody new, signed in by the form."""
    tab = computer()
    send_form(tab, "/signup", username)
    return tab


def send_form(tab: Tab, path: str, username: str) -> None:
    """Sign up or in, and arrive on the account page with a live connection."""
    tab.goto(path)
    tab.fill_in(username, PASSWORD)
    tab.arrives("/account")
    tab.sees("body", data_user=username)
    tab.sees("#connection", data_state="live")


def is_shown_out(tab: Tab, reason: str) -> None:
    """The page has left for the login page, which says why; nobody clicked anything in it."""
    tab.arrives(f"/login?reason={reason}")
    tab.sees("#reason", data_reason=reason)
    tab.sees_none("[data-private]")


def test_a_logout_is_told_in_the_other_tabs_and_leaves_the_other_window_alone(
    page: Tab, computer: Opened, laptop: Opened, username: str
) -> None:
    tabs = [computer(), computer()]
    for tab in tabs:
        tab.goto("/")
        tab.sees("#connection", data_state="live")
    other = laptop()
    send_form(other, "/login", username)
    page.click("#logout")
    for tab in tabs:
        is_shown_out(tab, "logout")
    page.arrives("/login?reason=logout")
    other.sees("#connection", data_state="live")
    other.goto("/account")
    other.sees("body", data_user=username)


def test_a_tab_that_is_looked_at_again_asks_first_and_then_shows_what_changed(
    page: Tab, computer: Opened, laptop: Opened, username: str
) -> None:
    page.run(NOTE_COVER)
    front = computer()
    front.goto("/")
    front.show()
    front.sees("#connection", data_state="live")
    assert page.run("() => document.visibilityState") == "hidden"
    fetched = page.run(FETCHED)
    send_form(laptop(), "/login", username)
    front.show()
    front.sees("#news .notice")  # all tabs have heard of it, and this one has fetched who it was
    assert page.run(FETCHED) == fetched
    assert page.run("() => window.covered ?? false") is False
    page.show()
    page.sees("#sessions li:nth-child(2)")
    page.sees("html:not([data-unverified])")
    assert page.run("() => window.covered") is True
    assert page.run(FETCHED) > fetched


def test_all_other_sessions_are_ended_by_one_click(
    page: Tab, laptop: Opened, username: str
) -> None:
    other = laptop()
    send_form(other, "/login", username)
    page.show()
    page.sees(f"#sessions li[data-session='{other.sees('body')['data-session']}']")
    page.click("#end-others")
    is_shown_out(other, "terminated")
    page.sees_none("#sessions li:nth-child(2)")
    page.sees("#connection", data_state="live")


def test_going_back_after_a_logout_shows_nothing_private(page: Tab, username: str) -> None:
    page.click("#logout")
    page.arrives("/login?reason=logout")
    page.back()
    page.arrives("/login?next=")
    page.sees_none("[data-private]")
    assert username not in page.text()


def test_a_name_is_shown_as_spelled_and_its_account_is_deleted_after_the_password(
    computer: Opened, laptop: Opened, username: str
) -> None:
    page, other = computer(), laptop()
    spelled, canonical = f"Zoë.{username}@Почта.рф", f"zoë.{username}@почта.рф"
    for tab, path, typed in ((page, "/signup", spelled), (other, "/login", canonical.upper())):
        tab.goto(path)
        tab.fill_in(typed, PASSWORD)
        tab.arrives("/account")
        tab.sees("body", data_user=canonical)
        assert tab.run("() => document.querySelector('nav bdi').textContent") == spelled
        tab.sees("#connection", data_state="live")
    page.click("form[action='/account/delete'] button")
    page.sees("input[name='password']")
    assert f"the account {spelled} for good" in page.text()
    page.type("input[name='password']", "not the right one, sorry")
    page.click("main form button")
    page.sees("p.error[role='alert']")
    other.sees("#connection", data_state="live")
    page.type("input[name='password']", PASSWORD)
    page.click("main form button")
    is_shown_out(page, "account_deleted")
    is_shown_out(other, "account_deleted")
    page.fill_in(spelled, PASSWORD)
    page.sees("p.error[role='alert']")
