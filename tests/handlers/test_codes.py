"""Signing in with an app's code or a recovery code."""

import logging
from collections.abc import Callable

import pytest

from server.services import Services
from tests.support.clients.browser import Browser, json_of, problem_of
from tests.support.clients.client import PASSWORD
from tests.support.clients.factors import App, add_app, owed

ADA = {"username": "ada", "password": PASSWORD}
NEW_PASSWORD = "eleven herons on the morning ferry"
SECOND_FACTOR = "/api/login/second-factor"

pytestmark = pytest.mark.gen_test


@pytest.fixture
def ada(browser: Browser) -> Browser:
    """Her browser; not signed in yet."""
    return browser


async def app_of(ada: Browser, services: Services) -> tuple[App, list[str]]:
    await ada.sign_up("ada")
    return await add_app(ada, services.clock.now)


@pytest.mark.proves("6.3.3")
async def test_the_password_alone_lets_nobody_in(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    app, _ = await app_of(ada, services)
    other = new_browser()
    problem = await owed(other, ADA)
    assert problem["methods"] == ["totp", "recovery-code"]
    assert not await other.is_live()
    body = {"challenge": problem["challenge"], "code": app.code()}
    answer = await other.send("POST", SECOND_FACTOR, body)
    assert set(json_of(answer)) == {"session", "csrf_token"}
    assert json_of(answer)["session"]["user"] == "ada"
    assert await other.is_live()


async def test_a_wrong_password_is_answered_as_without_a_second_factor(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    other = new_browser()
    wrong = {"username": "ada", "password": "not this one, sorry"}
    before = await other.send("POST", "/api/login", wrong)
    await app_of(ada, services)
    after = await other.send("POST", "/api/login", wrong)
    assert (before.code, before.body) == (after.code, after.body) == (401, before.body)


@pytest.mark.proves("6.5.1")
async def test_a_code_works_once_also_for_another_sign_in(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    app, _ = await app_of(ada, services)
    codes = [code := app.code(), code, app.code(0)]
    answers = []
    for code in codes:
        problem = await owed(new_browser(), ADA)
        body = {"challenge": problem["challenge"], "code": code}
        answers.append(await new_browser().send("POST", SECOND_FACTOR, body))
    assert [answer.code for answer in answers] == [200, 401, 401]
    assert problem_of(answers[1]) == problem_of(answers[2]) == "wrong-second-factor"


@pytest.mark.proves("6.5.1")
async def test_a_recovery_code_works_once(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    _, codes = await app_of(ada, services)
    assert len(codes) == 10
    other = new_browser()
    body = {"challenge": (await owed(other, ADA))["challenge"], "code": codes[3].upper()}
    assert (await other.send("POST", SECOND_FACTOR, body)).code == 200
    again = await new_browser().send("POST", SECOND_FACTOR, body)
    assert (again.code, problem_of(again)) == (401, "wrong-second-factor")
    assert json_of(await ada.send("GET", "/api/factors"))["recovery_codes_left"] == 9


@pytest.mark.proves("6.3.1", "6.5.8")
async def test_guessing_codes_is_slowed_down_for_the_account_whatever_the_challenge(
    ada: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    app, codes = await app_of(ada, services)
    other = new_browser()
    seen = []
    for _ in range(6):
        challenge = (await owed(other, ADA))["challenge"]
        body = {"challenge": challenge, "code": app.wrong_code()}
        seen.append((await other.send("POST", SECOND_FACTOR, body)).code)
    assert seen == [401, 401, 401, 401, 401, 429]
    right = await other.send("POST", SECOND_FACTOR, {"challenge": challenge, "code": app.code()})
    assert (right.code, problem_of(right)) == (429, "throttled")
    assert 0 < int(right.headers["Retry-After"]) <= 30
    again = {"password": PASSWORD, "code": app.code()}
    assert (await ada.send("POST", "/api/session/reauthenticate", again)).code == 429
    stranger = new_browser()
    body = {"challenge": challenge, "code": codes[0]}
    assert (await stranger.send("POST", SECOND_FACTOR, body)).code == 200  # nobody is locked out
    travel(31)
    body = {"challenge": (await owed(other, ADA))["challenge"], "code": app.code()}
    assert (await other.send("POST", SECOND_FACTOR, body)).code == 200


@pytest.mark.proves("6.5.5")
async def test_a_challenge_lasts_five_minutes(
    ada: Browser,
    new_browser: Callable[[], Browser],
    services: Services,
    travel: Callable[[float], None],
) -> None:
    app, _ = await app_of(ada, services)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    travel(301)
    body = {"challenge": challenge, "code": app.code()}
    refused = await new_browser().send("POST", SECOND_FACTOR, body)
    assert (refused.code, problem_of(refused)) == (401, "challenge-expired")


@pytest.mark.proves("16.3.3")
@pytest.mark.parametrize("challenge", ["", "AAAA", "no base64!", "\ud800", "A" * 10_000])
async def test_a_forged_challenge_is_expired_and_told_of(
    ada: Browser, challenge: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "curfew.audit")
    body = {"challenge": challenge, "code": "123456"}
    refused = await ada.send("POST", SECOND_FACTOR, body)
    if challenge == "\ud800":
        assert problem_of(refused) == "bad-request"
        return
    assert (refused.code, problem_of(refused)) == (401, "challenge-expired")
    (told,) = [vars(each) for each in caplog.records if each.name == "curfew.audit"]
    assert (told["event"], told["use"]) == ("malicious_challenge", "second factor owed")
    assert told["ip"] == "127.0.0.1"
    assert not challenge or challenge not in str(told)


async def test_one_kind_of_challenge_is_not_taken_for_another(
    ada: Browser, services: Services
) -> None:
    await ada.sign_up("ada")
    setup = json_of(await ada.send("POST", "/api/totp"))["setup"]
    refused = await ada.send("POST", SECOND_FACTOR, {"challenge": setup, "code": "123456"})
    assert problem_of(refused) == "challenge-expired"
    app, _ = await add_app(ada, services.clock.now)
    challenge = (await owed(ada, ADA))["challenge"]
    refused = await ada.send("PUT", "/api/totp", {"setup": challenge, "code": app.code()})
    assert (refused.code, problem_of(refused)) == (409, "setup-expired")


async def test_a_challenge_dies_with_the_password_and_with_an_end_of_all_sessions(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    app, codes = await app_of(ada, services)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    await ada.send("DELETE", "/api/sessions?scope=others")
    body = {"challenge": challenge, "code": app.code()}
    refused = await new_browser().send("POST", SECOND_FACTOR, body)
    assert (refused.code, problem_of(refused)) == (409, "sign-in-interrupted")

    challenge = (await owed(new_browser(), ADA))["challenge"]
    change = {
        "current_password": PASSWORD,
        "new_password": NEW_PASSWORD,
        "end_other_sessions": False,
    }
    assert (await ada.send("PUT", "/api/password", change)).code == 200
    body = {"challenge": challenge, "code": codes[0]}
    refused = await new_browser().send("POST", SECOND_FACTOR, body)
    assert (refused.code, problem_of(refused)) == (401, "challenge-expired")
    assert json_of(await ada.send("GET", "/api/factors"))["recovery_codes_left"] == 10


async def test_a_disabled_account_is_not_let_in_by_its_second_factor(
    ada: Browser, new_browser: Callable[[], Browser], services: Services
) -> None:
    app, _ = await app_of(ada, services)
    challenge = (await owed(new_browser(), ADA))["challenge"]
    await services.accounts.set_disabled("ada", disabled=True)
    body = {"challenge": challenge, "code": app.code()}
    refused = await new_browser().send("POST", SECOND_FACTOR, body)
    assert (refused.code, problem_of(refused)) == (401, "challenge-expired")


@pytest.mark.proves("7.5.1")
async def test_proving_it_again_takes_the_code_too(
    ada: Browser, services: Services, travel: Callable[[float], None]
) -> None:
    app, _ = await app_of(ada, services)
    travel(301)
    assert problem_of(await ada.send("DELETE", "/api/totp")) == "reauthentication-required"
    again = "/api/session/reauthenticate"
    missing = await ada.send("POST", again, {"password": PASSWORD})
    assert (missing.code, problem_of(missing)) == (403, "second-factor-required")
    assert json_of(missing)["methods"] == ["totp", "recovery-code"]
    wrong = await ada.send("POST", again, {"password": PASSWORD, "code": app.wrong_code()})
    assert (wrong.code, problem_of(wrong)) == (403, "wrong-code")
    wrong = await ada.send("POST", again, {"password": "no", "code": app.code()})
    assert (wrong.code, problem_of(wrong)) == (403, "wrong-password")
    assert problem_of(await ada.send("DELETE", "/api/totp")) == "reauthentication-required"
    right = await ada.send("POST", again, {"password": PASSWORD, "code": app.code()})
    assert right.code == 200
    assert (await ada.send("DELETE", "/api/totp")).code == 200
