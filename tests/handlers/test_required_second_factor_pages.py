"""Where a second factor is required, forms alone lead to one."""

from collections.abc import Callable

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, form_of, page_of, sent_to
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App
from tests.support.clients.owing import HOME, is_served, two_sessions

CONFIRM = f"{HOME}/totp/confirm"

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.parametrize("variables", [{"SECOND_FACTOR": "required"}], ids=["required"]),
]


async def test_forms_alone_lead_to_an_app_and_on(browser: Browser, services: Services) -> None:
    done = await browser.submit("/signup", "/signup", username="ada", password=PASSWORD)
    assert sent_to(await browser.send("GET", await browser.arrival(done))) == HOME
    page = await browser.send("GET", HOME)
    assert 'id="owed"' in page_of(page)
    assert 'id="connection"' not in page_of(page)  # there is none to be told of
    setup = await browser.submit(HOME, f"{HOME}/totp")
    secret = page_of(setup).partition('id="totp-secret" class="secret">')[2].partition("<")[0]
    app = App(secret.replace(" ", ""), services.clock.now)
    form = form_of(setup, CONFIRM) | {"code": app.code(0)}
    added = page_of(await browser.send("POST", CONFIRM, form=form))
    assert 'id="owed"' not in added
    assert 'id="recovery-codes"' in added
    assert 'id="connection"' in added
    assert (await browser.send("GET", "/account")).code == 200
    removed = await browser.submit(HOME, f"{HOME}/totp/remove", end_other_sessions="")
    assert sent_to(removed) == "/login?reason=credential_changed"
    assert not await browser.is_live()


async def test_a_page_of_a_session_from_before_asks_for_the_factor_that_there_is(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    other = new_browser()
    app, _ = await two_sessions(browser, other, services)
    assert sent_to(await other.send("GET", "/")) == HOME
    page = page_of(await other.send("GET", HOME))
    way = f"/reauthenticate?next={HOME}"
    assert f'href="{way}"' in page.partition('id="owed"')[2].partition("</div>")[0]
    asked = await other.submit(HOME, f"{HOME}/totp/remove")
    assert asked.code == 403
    assert "code" in form_of(asked, f"{HOME}/totp/remove")
    proved = await other.submit(way, "/reauthenticate", password=PASSWORD, code=app.code())
    assert sent_to(proved) == HOME
    assert 'id="owed"' not in page_of(await other.send("GET", HOME))
    assert await is_served(other)
