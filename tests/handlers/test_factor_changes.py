"""Setting second factors up and removing them: who may, and what follows for the sessions."""

from collections.abc import Callable

import pytest

from server.services import Services
from tests.support.clients.authenticator import Authenticator
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App, add_app, add_passkey, owed

ADA = {"username": "ada", "password": PASSWORD}
CHANGES = [
    ("POST", "/api/totp"),
    ("PUT", "/api/totp"),
    ("DELETE", "/api/totp"),
    ("POST", "/api/recovery-codes"),
    ("POST", "/api/passkeys/options"),
    ("POST", "/api/passkeys"),
    ("DELETE", "/api/passkeys/AAAA"),
]

pytestmark = pytest.mark.gen_test


@pytest.mark.proves("7.5.1")
@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_every_change_needs_a_recent_proof(
    browser: Browser, travel: Callable[[float], None], method: str, path: str
) -> None:
    await browser.sign_up("ada")
    travel(301)
    answer = await browser.send(method, path, {})
    assert (answer.code, problem_of(answer)) == (403, "reauthentication-required")


async def test_a_new_account_has_no_second_factor(browser: Browser) -> None:
    await browser.sign_up("ada")
    document = json_of(await browser.send("GET", "/api/factors"))
    assert document == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
    answer = await browser.send("POST", "/api/recovery-codes", {})
    assert (answer.code, problem_of(answer)) == (409, "no-second-factor")
    answer = await browser.send("DELETE", "/api/totp")
    assert (answer.code, problem_of(answer)) == (404, "factor-not-found")


async def test_an_app_is_set_up_by_its_first_code_and_only_once(
    browser: Browser, services: Services
) -> None:
    await browser.sign_up("ada")
    begun = json_of(await browser.send("POST", "/api/totp"))
    assert begun["uri"].startswith("otpauth://totp/Curfew:ada%40localhost")
    app = App(begun["secret"], services.clock.now)
    body = {"setup": begun["setup"], "code": app.wrong_code()}
    answer = await browser.send("PUT", "/api/totp", body)
    assert (answer.code, problem_of(answer)) == (403, "wrong-code")
    await browser.sign_in("ada")  # nothing was turned on by a wrong code
    body["code"] = app.code()
    assert (await browser.send("PUT", "/api/totp", body)).code == 200
    again = await browser.send("PUT", "/api/totp", body)
    assert (again.code, problem_of(again)) == (409, "factor-exists")
    document = json_of(await browser.send("GET", "/api/factors"))
    assert set(document["totp"]) == {"added_at"}
    assert document["recovery_codes_left"] == 10


@pytest.mark.proves("6.5.1")
async def test_the_code_that_set_an_app_up_signs_nobody_in(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    app, _ = await add_app(browser, services.clock.now)
    body = {"challenge": (await owed(new_browser(), ADA))["challenge"], "code": app.code(0)}
    assert (await new_browser().send("POST", "/api/login/second-factor", body)).code == 401


async def test_a_setup_is_its_users_and_does_not_last(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    await browser.sign_up("ada")
    begun = json_of(await browser.send("POST", "/api/totp"))
    app, berta = App(begun["secret"], services.clock.now), new_browser()
    await berta.sign_up("berta")
    body = {"setup": begun["setup"], "code": app.code()}
    answer = await berta.send("PUT", "/api/totp", body)
    assert (answer.code, problem_of(answer)) == (409, "setup-expired")
    travel(301)
    await browser.send("POST", "/api/session/reauthenticate", {"password": PASSWORD})
    answer = await browser.send("PUT", "/api/totp", body | {"code": app.code()})
    assert (answer.code, problem_of(answer)) == (409, "setup-expired")


@pytest.mark.proves("7.4.3", "7.2.4")
async def test_a_change_ends_other_sessions_unless_told_not_to_and_renews_this_one(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    other = new_browser()
    await other.sign_in("ada")
    former = browser.cookie
    app, _ = await add_app(browser, services.clock.now)  # told not to
    assert await other.is_live()
    old, browser.cookie = browser.cookie, former
    assert not await browser.is_live()
    browser.cookie = old
    removed = await browser.send("DELETE", "/api/totp")
    assert json_of(removed)["receipt"]["sessions"] == 1
    assert json_of(await other.send("GET", "/api/session"))["reason"] == "credential_changed"
    assert await browser.is_live()
    await other.sign_in("ada")
    await add_app(browser, services.clock.now)
    kept = await browser.send("DELETE", "/api/totp?end_other_sessions=false")
    assert json_of(kept) == {"recovery_codes": [], "receipt": None}
    assert await other.is_live()
    del app
    wrong = await browser.send("DELETE", "/api/totp?end_other_sessions=maybe")
    assert (wrong.code, problem_of(wrong)) == (400, "bad-request")


@pytest.mark.proves("7.5.1")
async def test_a_change_opens_no_new_window(
    browser: Browser, services: Services, travel: Callable[[float], None]
) -> None:
    await browser.sign_up("ada")
    travel(200)
    await add_app(browser, services.clock.now)
    travel(200)
    answer = await browser.send("DELETE", "/api/totp")
    assert (answer.code, problem_of(answer)) == (403, "reauthentication-required")


async def test_new_recovery_codes_take_the_place_of_the_former(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    _, former = await add_app(browser, services.clock.now)
    renewed = json_of(await browser.send("POST", "/api/recovery-codes", {}))["recovery_codes"]
    assert len(set(renewed)) == 10
    assert not set(renewed) & set(former)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    seen = [
        await new_browser().send(
            "POST", "/api/login/second-factor", {"challenge": challenge, "code": code}
        )
        for code in (former[0], renewed[0])
    ]
    assert [answer.code for answer in seen] == [401, 200]


async def test_without_factors_the_password_is_enough_again_and_codes_are_gone(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    await add_app(browser, services.clock.now)
    key = Authenticator(browser.url)
    await add_passkey(browser, key)
    await browser.send("DELETE", "/api/totp")
    await owed(new_browser(), ADA)
    await browser.send("DELETE", f"/api/passkeys/{key.id}")
    await new_browser().sign_in("ada")
    document = json_of(await browser.send("GET", "/api/factors"))
    assert document == {"totp": None, "passkeys": [], "recovery_codes_left": 0}


@pytest.mark.proves("6.3.3")
async def test_without_factors_no_session_counts_as_proved_by_two(
    browser: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    await browser.sign_up("ada")
    app, _ = await add_app(browser, services.clock.now)
    other = new_browser()
    body = {"challenge": (await owed(other, ADA))["challenge"], "code": app.code()}
    await other.send("POST", "/api/login/second-factor", body)

    async def proved_by_two() -> list[bool]:
        return [each.session.two_factors for each in await services.sessions.sessions_of("ada")]

    assert await proved_by_two() == [True, True]
    await browser.send("DELETE", "/api/totp?end_other_sessions=false")
    assert await proved_by_two() == [False, False]
    assert await browser.is_live()
    assert await other.is_live()


@pytest.mark.proves("16.2.5", "16.3.1")
async def test_changes_and_failures_are_audited_without_a_secret(
    browser: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "curfew")
    await browser.sign_up("ada")
    app, codes = await add_app(browser, services.clock.now)
    other = new_browser()
    challenge = (await owed(other, ADA))["challenge"]
    for code in (app.wrong_code(), codes[0]):
        body = {"challenge": challenge, "code": code}
        await other.send("POST", "/api/login/second-factor", body)
    await browser.send("DELETE", "/api/totp")
    audited = [record for record in caplog.records if record.name == "curfew.audit"]
    events = [record.getMessage() for record in audited]
    expected = [
        "authn_factor_added",
        "authn_second_factor_fail",
        "authn_recovery_code_used",
        "authn_login_success",
        "authn_factor_removed",
    ]
    assert [event for event in events if event in expected][-5:] == expected
    assert {vars(record).get("user") for record in audited} == {"ada"}
    secrets = {*codes, challenge, app.code(), app.code(0)}
    # The digits of a clock may be those of a code by chance.
    clock = {"created", "msecs", "relativeCreated"}
    kept = [{k: v for k, v in vars(each).items() if k not in clock} for each in caplog.records]
    shown = "\n".join(map(str, kept))
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.proves("7.5.1", "7.2.4")
@pytest.mark.parametrize("with_app", [True, False])
async def test_a_new_password_is_a_proof_only_where_the_password_is_all_that_is_taken(
    browser: Browser, services: Services, travel: Callable[[float], None], *, with_app: bool
) -> None:
    await browser.sign_up("ada")
    if with_app:
        await add_app(browser, services.clock.now)
    travel(200)
    former = browser.cookie
    change = {"current_password": PASSWORD, "new_password": PASSWORD[::-1]}
    assert (await browser.send("PUT", "/api/password", change)).code == 200
    assert browser.cookie != former
    travel(150)
    answer = await browser.send("DELETE", "/api/totp")
    stale = (403, "reauthentication-required")
    assert (answer.code, problem_of(answer)) == (stale if with_app else (404, "factor-not-found"))
