"""User names of all scripts and e-mail addresses: over HTTP, in pages, lists and passkeys."""

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from server.services import Services
from server.store.names import ShardNames
from tests.handlers.test_admin import sign_in_as_admin
from tests.support.clients.browser import Browser, json_of, page_of, problem_of
from tests.support.clients.client import PASSWORD

NAMES = [
    ("Ada@Example.com", "ada@example.com"),
    ("o'brien+x/y&z=1@example.ie", "o'brien+x/y&z=1@example.ie"),
    ("Müller", "müller"),
    ("ИВАН", "иван"),
    ("李明", "李明"),
    ("אבג", "אבג"),
    ("ada@почта.рф", "ada@почта.рф"),
]

pytestmark = pytest.mark.gen_test


@pytest.mark.parametrize(("typed", "user"), NAMES)
async def test_every_name_signs_up_in_any_spelling_and_does_everything(
    browser: Browser, new_browser: Callable[[], Browser], services: Services, typed: str, user: str
) -> None:
    made = await browser.send("POST", "/api/signup", {"username": typed, "password": PASSWORD})
    assert (made.code, json_of(made)) == (201, {"user": user})
    signed_in = await browser.sign_in(typed.upper())
    assert json_of(signed_in)["session"]["user"] == user
    for header, value in signed_in.headers.get_all():
        assert value.isascii(), header
    assert page_of(await browser.send("GET", "/account")).count("<bdi>") == 1

    uri = json_of(await browser.send("POST", "/api/totp"))["uri"]
    assert uri.isascii()
    assert user in parse_qs("x=" + urlsplit(uri).path)["x"][0]
    options = json_of(await browser.send("POST", "/api/passkeys/options"))
    assert options["user"]["name"] == user

    admin = new_browser()
    await sign_in_as_admin(admin, services)
    path = f"/api/admin/users/{quote(typed, safe='')}"
    found = json_of(await admin.send("GET", path))
    assert (found["user"], found["name"]) == (user, typed)
    assert options["user"]["displayName"] == typed
    listed = json_of(await admin.send("GET", f"{path}/sessions"))
    assert len(listed["sessions"]) == 1
    page = json_of(await admin.send("GET", f"/api/admin/users?after={quote(user)}"))
    assert user not in [each["user"] for each in page["users"]]
    deleted = await admin.send("DELETE", path)
    assert (deleted.code, json_of(deleted)["sessions"]) == (200, 1)
    assert json_of(await browser.send("GET", "/api/session"))["reason"] == "account_deleted"


async def test_people_see_their_name_as_they_spelled_it_whatever_they_typed_to_sign_in(
    browser: Browser,
) -> None:
    made = await browser.send(
        "POST", "/api/signup", {"username": "Zoë@Example.com", "password": PASSWORD}
    )
    assert json_of(made) == {"user": "zoë@example.com"}
    signed_in = await browser.sign_in("zoë@EXAMPLE.com")
    assert json_of(signed_in)["session"]["user"] == "zoë@example.com"
    await browser.send("POST", "/api/session/rotate")
    account = page_of(await browser.send("GET", "/account"))
    assert "<bdi>Zoë@Example.com</bdi>" in account
    form = {"csrf_token": browser.csrf_token}
    question = page_of(await browser.send("POST", "/account/delete", form=form))
    assert "the account Zoë@Example.com for good" in question
    for page in (account, question, page_of(await browser.send("GET", "/"))):
        assert page.count("zoë@example.com") == 1  # for the scripts, in no text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("coco", "сосо"),
        ("сосо", "coco"),
        ("paypal", "PayPa1"),
        ("ada@coco.example", "ada@сосо.example"),
    ],
)
async def test_a_name_that_looks_like_somebodys_is_refused_until_that_is_gone(
    browser: Browser, services: Services, first: str, second: str
) -> None:
    await browser.sign_up(first)
    body = {"username": second, "password": PASSWORD}
    refused = await browser.send("POST", "/api/signup", body)
    assert (refused.code, problem_of(refused)) == (409, "name-taken")
    form = body | {"csrf_token": browser.csrf_token}
    page = await browser.send("POST", "/signup", form=form)
    assert (page.code, "looks like one that is" in page_of(page)) == (409, True)
    made = await services.accounts.create(second, PASSWORD, admin=True)
    assert "taken" in str(made)
    assert (await browser.send("DELETE", "/api/account")).code == 200
    made = await services.accounts.create(second, PASSWORD)
    assert "taken" not in str(made)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("\u0430dmin", "the letters of one script only"),
        ("ada@example", "not an e-mail address"),
        ("ada\u202elove", "uses only the letters"),
        ("a" * 33, "at most 254 bytes"),
    ],
)
async def test_the_page_says_what_is_wrong_with_a_name(
    browser: Browser, name: str, words: str
) -> None:
    form = {"username": name, "password": PASSWORD}
    refused = await browser.send("POST", "/signup", form=form)
    assert refused.code == 400
    assert words in page_of(refused)
    api = await browser.send("POST", "/api/signup", form | {})
    assert problem_of(api) == "bad-username"


async def test_accounts_from_before_keep_their_keys_and_names(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("ann-marie.o")
    prefix = ShardNames.of_user("ann-marie.o", services.store.shards).prefix
    for key in (f"{prefix}account:ann-marie.o", f"{prefix}user:ann-marie.o"):
        assert await services.store.client.exists(key) == 1


async def test_forms_help_phones_with_names(browser: Browser) -> None:
    for path in ("/login", "/signup"):
        page = page_of(await browser.send("GET", path))
        field = page[page.index('<input id="username"') :].split(">")[0]
        for attribute in ('autocomplete="username"', 'autocapitalize="none"', 'dir="auto"',
                          'spellcheck="false"'):  # fmt: skip
            assert attribute in field
