"""The headers of every answer: all routes, methods and roles, errors, redirects and files too."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.security.crawl import SOCKET, Asked, Role, crawl, signed_in
from tests.support.clients.client import COOKIE, PASSWORD
from tests.support.servers.certified import CertifiedServer

YEAR = 365 * 86_400
NONCE = re.compile(r"'nonce-([A-Za-z0-9_-]{22,})'")
NO_BODY = {204, 303, 304}

Answers = list[tuple[Asked, httpx.Response]]


@pytest.fixture(scope="module")
def server() -> Iterator[CertifiedServer]:
    """A server that speaks TLS and lets people sign up."""
    with CertifiedServer(signup="open") as running:
        made = running.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n")
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture(scope="module")
def answers(server: CertifiedServer) -> Answers:
    """All of them."""
    return asyncio.run(all_answers(server))


async def all_answers(server: CertifiedServer) -> Answers:
    """Those to a stranger, to somebody and to an administrator."""
    people = [await signed_in(server.url, server.trust, name) for name in ("ada", "root")]
    asking = crawl(server.url, server.trust, [Role("stranger"), *people])
    return [pair async for pair in asking]


def shown(asked: Asked, answer: httpx.Response) -> str:
    """For whoever reads a failure."""
    return f"{asked.role.name}: {asked.method} {asked.path} {asked.headers} {answer.status_code}"


def is_file(asked: Asked) -> bool:
    return asked.path.startswith("/static/")


def test_the_crawl_meets_every_kind_of_answer(answers: Answers) -> None:
    assert len(answers) > 500
    statuses = {answer.status_code for _, answer in answers}
    assert {200, 303, 400, 401, 403, 404, 405, 413, 415, 421, 426} <= statuses
    assert max(statuses) < 500


@pytest.mark.proves("3.4.1", "3.4.4", "3.4.5", "3.4.6", "3.4.8", "A80")
def test_every_answer_carries_the_security_headers(answers: Answers) -> None:
    for asked, answer in answers:
        headers, where = answer.headers, shown(asked, answer)
        hsts = re.fullmatch(
            r"max-age=(\d+); includeSubDomains", headers["Strict-Transport-Security"]
        )
        assert hsts, where
        assert int(hsts[1]) >= YEAR, where
        assert headers["X-Content-Type-Options"] == "nosniff", where
        assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, where
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", where
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", where


@pytest.mark.proves("3.4.3", "3.4.6", "A80", "3.6.1")
def test_every_answer_has_a_policy_that_lets_nothing_foreign_in(answers: Answers) -> None:
    for asked, answer in answers:
        (policy,) = answer.headers.get_list("Content-Security-Policy")
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        where = shown(asked, answer)
        assert rules["default-src"] == "'none'", where
        assert rules["frame-ancestors"] == "'none'", where
        assert rules["base-uri"] == "'none'", where
        assert "unsafe" not in policy, where
        assert not re.search(r"https?:|\*", policy), where
        if NONCE.search(policy):
            assert rules["require-trusted-types-for"] == "'script'", where
            assert rules["trusted-types"] == "'none'", where
        assert ("sandbox" in rules) is (NONCE.search(policy) is None), where


@pytest.mark.proves("3.4.3")
def test_no_two_answers_share_a_nonce(answers: Answers) -> None:
    policies = [answer.headers["Content-Security-Policy"] for _, answer in answers]
    nonces = [found[1] for policy in policies if (found := NONCE.search(policy))]
    assert len(nonces) > 100
    assert len(set(nonces)) == len(nonces)
    for _, answer in answers:
        for nonce in re.findall(r'nonce="([^"]+)"', answer.text):
            assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]


@pytest.mark.proves("14.2.2", "14.2.5", "14.3.2", "A78")
def test_no_answer_that_may_depend_on_a_session_is_cached(answers: Answers) -> None:
    for asked, answer in answers:
        if not is_file(asked):
            assert answer.headers["Cache-Control"] == "no-store", shown(asked, answer)
            vary = re.split(r", ?", answer.headers["Vary"])
            assert "Cookie" in vary, shown(asked, answer)
        assert "ETag" not in answer.headers or is_file(asked)


@pytest.mark.proves("A78")
def test_no_file_name_behind_a_private_address_shows_it(answers: Answers) -> None:
    disguised = [pair for pair in answers if pair[0].path in {"/account/x.css", "/account;.js"}]
    assert len(disguised) >= 20
    for asked, answer in disguised:
        assert answer.status_code == 404, shown(asked, answer)
        assert not asked.role.cookie or asked.role.name not in answer.text


@pytest.mark.proves("13.4.6", "13.4.5")
def test_no_answer_tells_a_version(answers: Answers) -> None:
    for asked, answer in answers:
        assert answer.headers["Server"] == "Curfew", shown(asked, answer)
        assert "X-Powered-By" not in answer.headers
        told = "Content-Security-Policy", "Strict-Transport-Security", "Content-Length"
        rest = {name: value for name, value in answer.headers.items() if name.title() not in told}
        assert not re.search(r"(?i)tornado|python|valkey|redis", str(rest)), shown(asked, answer)
        if asked.path != "/metrics":
            assert not re.search(r"(?i)tornado/|python/|traceback", answer.text)


@pytest.mark.proves("A79", "3.4.2")
def test_no_answer_lets_another_origin_read(answers: Answers) -> None:
    for asked, answer in answers:
        allowed = [name for name in answer.headers if name.startswith("access-control-")]
        assert not allowed, shown(asked, answer)


@pytest.mark.proves("4.1.1")
def test_every_answer_with_a_body_says_its_type_and_charset(answers: Answers) -> None:
    for asked, answer in answers:
        if not answer.content or answer.status_code in NO_BODY:
            continue
        kind = answer.headers["Content-Type"]
        assert re.search(r"(?i); ?charset=utf-8", kind), f"{shown(asked, answer)} {kind}"


def test_a_refused_handshake_is_told_by_a_problem(answers: Answers) -> None:
    refused = [answer for asked, answer in answers if dict(asked.headers).get("Upgrade")]
    assert {answer.status_code for answer in refused} == {400, 403, 421, 426}
    for answer in refused:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["status"] == answer.status_code


@pytest.mark.proves("A77", "4.1.4", "13.4.4")
def test_methods_that_nobody_uses_are_refused_on_every_address(answers: Answers) -> None:
    for asked, answer in answers:
        if asked.method in {"TRACE", "PROPFIND"}:
            assert answer.status_code in {400, 404, 405, 426}, shown(asked, answer)
            assert asked.role.cookie not in answer.text or not asked.role.cookie


@pytest.mark.proves("3.3.1", "3.3.2", "3.3.3", "3.3.4", "A81")
async def test_every_cookie_that_is_ever_set_has_its_attributes(
    server: CertifiedServer, answers: Answers
) -> None:
    headers = [each for _, answer in answers for each in answer.headers.get_list("Set-Cookie")]
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Origin": server.url}, verify=server.trust
    ) as client:
        credentials = {"username": "berta", "password": PASSWORD}
        signup = await client.post("/api/signup", json=credentials)
        login = await client.post("/api/login", json=credentials)
        visit = await client.patch("/api/session/data", json={"a": 1}, headers={"Cookie": ""})
        cookie = login.headers["Set-Cookie"].partition(";")[0]
        proof = {"Cookie": cookie, "X-CSRF-Token": login.json()["csrf_token"]}
        rotated = await client.post("/api/session/rotate", headers=proof)
        out = await client.post("/api/logout", headers=proof)
    headers += [
        each
        for answer in (signup, login, visit, rotated, out)
        for each in answer.headers.get_list("Set-Cookie")
    ]
    assert len(headers) >= 4
    for header in headers:
        pair, *attributes = [part.strip() for part in header.split(";")]
        assert pair.partition("=")[0] == COOKIE
        assert pair.startswith("__Host-Http-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
        assert not any(each.startswith("Domain") for each in attributes)
    assert out.headers["Clear-Site-Data"]


@pytest.mark.proves("3.4.1", "3.4.4")
async def test_the_answer_that_opens_a_socket_carries_them_too(server: CertifiedServer) -> None:
    async with httpx.AsyncClient(verify=server.trust) as client:
        headers = {**SOCKET, "Origin": server.url}
        async with client.stream("GET", f"{server.url}/ws", headers=headers) as answer:
            assert answer.status_code == 101
            assert answer.headers["Strict-Transport-Security"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Server"] == "Curfew"
