"""Names that look alike, parameters given twice, accounts that nobody made."""

import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.people import People

LOOKALIKES = [
    "\N{CYRILLIC SMALL LETTER A}dmin-x",
    "admin\N{ZERO WIDTH SPACE}-x",
    "admin\N{RIGHT-TO-LEFT OVERRIDE}-x",
    "admin\0-x",
]
SPELLINGS = [
    ("wide-x", "\N{FULLWIDTH LATIN SMALL LETTER W}ide-x"),
    ("blank-x", "blank-x "),
]
"""Names, and other spellings of the same ones (decision 0033; keyboards add the blank)."""
ALIKE = [
    ("modern-x", "modem-x"),
    ("coco", "\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}" * 2),
]
"""Names, and others that look the same (decision 0033)."""
USUAL = ["admin", "superuser", "root", "guest", "test", "curfew"]


@pytest.fixture
async def visitor(people: People) -> Client:
    """A browser without a session."""
    return await people.visitor()


@pytest.mark.proves("A73")
async def test_a_name_is_one_account_in_every_case(visitor: Client) -> None:
    await visitor.sign_up("Admin-X")
    again = {"username": "aDMIN-x", "password": PASSWORD}
    assert (await visitor.request("POST", "/api/signup", again)).status_code == 409
    await visitor.sign_in("ADMIN-x")
    session = (await visitor.request("GET", "/api/session")).json()["session"]
    assert session["user"] == "admin-x"


@pytest.mark.proves("A73")
@pytest.mark.parametrize("name", LOOKALIKES)
async def test_a_name_that_looks_like_anothers_is_refused(visitor: Client, name: str) -> None:
    answer = await visitor.request("POST", "/api/signup", {"username": name, "password": PASSWORD})
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bad-username"


@pytest.mark.proves("A73")
@pytest.mark.parametrize(("name", "other"), [*SPELLINGS, *ALIKE])
async def test_another_spelling_or_a_name_that_looks_the_same_makes_no_second_account(
    visitor: Client, name: str, other: str
) -> None:
    await visitor.sign_up(name)
    again = {"username": other, "password": PASSWORD}
    answer = await visitor.request("POST", "/api/signup", again)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/name-taken")


@pytest.mark.proves("6.3.2", "A74")
@pytest.mark.parametrize("name", USUAL)
async def test_there_is_no_account_that_nobody_made(visitor: Client, name: str) -> None:
    for password in (name, "password"):  # 20 failures from one address would be throttled
        body = {"username": name, "password": password}
        assert (await visitor.request("POST", "/api/login", body)).status_code == 401


@pytest.mark.proves("A71", "15.3.7")
@pytest.mark.parametrize(
    "body",
    [
        '{"username": "ann-a", "username": "bob-b", "password": "x"}',
        '{"username": "ann-a", "password": "x", "password": "y"}',
    ],
)
async def test_a_key_twice_in_json_is_refused(visitor: Client, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await visitor.http.post("/api/login", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.proves("A71", "15.3.7")
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/login", "username=ann-a&username=bob-b&password=x"),
        ("/login", "username=ann-a&password=x&password=y"),
        ("/signup", "username=ann-a&username=bob-b&password=x"),
    ],
)
async def test_a_field_twice_in_a_form_is_refused(visitor: Client, path: str, content: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await visitor.http.post(path, content=content, headers=headers)
    assert answer.status_code == 400


@pytest.mark.proves("A71")
async def test_a_field_of_a_form_is_not_taken_from_the_address(visitor: Client) -> None:
    await visitor.sign_up("in-the-query")
    visitor.cookie = visitor.csrf_token = ""
    address = f"/login?username=in-the-query&password={PASSWORD.replace(' ', '+')}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await visitor.http.post(address, content="next=/", headers=headers)
    assert answer.status_code in {400, 401}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.proves("A71")
async def test_a_scope_given_twice_ends_nothing(people: People) -> None:
    client = await people.somebody()
    other = await people.again(client)
    answer = await client.request("DELETE", "/api/sessions?scope=others&scope=all")
    assert answer.status_code == 400
    assert (await other.request("GET", "/api/session")).status_code == 200
