"""Names and codes as phone keyboards and copying leave them: with blanks around."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, json_of, page_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import add_app, owed

AROUND = [
    ("", " "),
    (" ", ""),
    ("  ", "\t"),
    ("\n", "\r\n"),
    ("\xa0", "\u3000"),
    ("\ufeff", "\u200b"),
]
WRONG = "eleven herons on the morning ferry"

pytestmark = pytest.mark.gen_test
blanks = pytest.mark.parametrize("around", AROUND, ids=[ascii("".join(each)) for each in AROUND])


def typed(text: str, around: tuple[str, str]) -> str:
    return around[0] + text + around[1]


def credentials(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": name, "password": password}


@blanks
async def test_who_signs_up_or_in_may_type_a_blank_around_the_name(
    browser: Browser, new_browser: Callable[[], Browser], around: tuple[str, str]
) -> None:
    made = await browser.send("POST", "/api/signup", credentials(typed("Ada", around)))
    assert (made.code, json_of(made)) == (201, {"user": "ada"})
    again = await browser.send("POST", "/api/signup", credentials(typed("ada", around), WRONG))
    assert (again.code, problem_of(again)) == (409, "name-taken")
    for name in ("ada", typed("ADA", around)):
        answer = await new_browser().send("POST", "/api/login", credentials(name))
        assert (answer.code, json_of(answer)["session"]["user"]) == (200, "ada")
        form = await new_browser().send("POST", "/login", form=credentials(name))
        assert form.code == 303


@blanks
async def test_so_may_who_signs_up_on_the_page(
    browser: Browser, new_browser: Callable[[], Browser], around: tuple[str, str]
) -> None:
    assert (
        await browser.send("POST", "/signup", form=credentials(typed("bea", around)))
    ).code == 303
    assert (await new_browser().send("POST", "/login", form=credentials("bea"))).code == 303


async def test_a_form_that_comes_back_shows_the_name_without_blanks(browser: Browser) -> None:
    for path in ("/login", "/signup"):
        answer = await browser.send("POST", path, form=credentials(" nobody ", "short"))
        assert 'value="nobody"' in page_of(answer)


async def test_blanks_in_the_middle_and_around_a_password_still_count(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    await browser.sign_up("ada")
    refused = await new_browser().send("POST", "/api/signup", credentials("a da"))
    assert problem_of(refused) == "bad-username"
    for name, password in (("a da", PASSWORD), ("ada", f"{PASSWORD} "), ("ada", f" {PASSWORD}")):
        answer = await new_browser().send("POST", "/api/login", credentials(name, password))
        assert (answer.code, problem_of(answer)) == (401, "wrong-credentials")


async def test_tries_with_blanks_are_tries_at_the_same_account(browser: Browser) -> None:
    codes = [
        (await browser.send("POST", "/api/login", credentials(f"ada{' ' * n}", WRONG))).code
        for n in range(11)
    ]
    assert codes == [401] * 10 + [429]


@blanks
async def test_an_administrators_paths_take_them_too(
    browser: Browser, services: Services, around: tuple[str, str]
) -> None:
    await services.accounts.create("root", PASSWORD, admin=True)
    await services.accounts.create("ada", PASSWORD, admin=False)
    await browser.sign_in("root")
    name = quote(typed("ada", around))
    assert (await browser.send("GET", f"/api/admin/users/{name}/sessions")).code == 200
    disabled = await browser.send("PUT", f"/api/admin/users/{name}/disabled", {"disabled": True})
    assert disabled.code == 200
    account = await services.accounts.find("ada")
    assert account is not None
    assert account.disabled


@blanks
async def test_codes_are_taken_with_blanks_everywhere(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    around: tuple[str, str],
) -> None:
    await browser.sign_up("ada")
    _, codes = await add_app(browser, services.clock.now)
    forms = [
        code.replace("-", dash) for code, dash in zip(codes, ("-", "\u2013", " "), strict=False)
    ]
    challenge = (await owed(new_browser(), credentials(typed("ada", around))))["challenge"]
    body = {"challenge": challenge, "code": typed(forms[0], around)}
    answer = await new_browser().send("POST", "/api/login/second-factor", body)
    assert answer.code == 200
    form = {"challenge": challenge, "code": typed(forms[1], around)}
    assert (await new_browser().send("POST", "/login/second-factor", form=form)).code == 303
    again = {"password": PASSWORD, "code": typed(forms[2], around)}
    assert (await browser.send("POST", "/api/session/reauthenticate", again)).code == 200
