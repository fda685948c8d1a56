"""Strangers who flood: what they make and keep is bounded, and others are served before them.

Addresses of this machine's loopback network count as different clients. What comes first is told
by the order of the answers, not by their times.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.support.clients.client import PASSWORD, Client
from tests.support.servers.server import ExactServer

FLOODER, HOME, OTHERS = "127.0.0.5", "127.0.0.6", [f"127.0.0.{number}" for number in range(10, 20)]
AT_ONCE = 16
"""As many as one address may have under way in a process."""
WRONG = "eleven herons on the morning ferry"
LARGE: dict[str, object] = {"k": "x" * 60_000}


@pytest.fixture(scope="module")
def server() -> Iterator[ExactServer]:
    """One process, whose threads everybody shares."""
    with ExactServer(signups_per_address="40", signups_in_all="50") as running:
        yield running


@pytest.fixture(scope="module")
def strict() -> Iterator[ExactServer]:
    """Two processes that count together, with low limits."""
    with ExactServer(
        processes="2",
        signups_per_address="5",
        signups_in_all="8",
        anonymous_mib_per_address="1",
        anonymous_mib_in_all="2",
    ) as running:
        yield running


@pytest.fixture
async def flooder(server: ExactServer) -> AsyncIterator[Client]:
    async with Client(server.url, address=FLOODER) as client:
        yield client


@pytest.fixture
async def home(server: ExactServer) -> AsyncIterator[Client]:
    async with Client(server.url, address=HOME) as client:
        yield client


async def send(client: Client, path: str, name: str, password: str = PASSWORD) -> httpx.Response:
    """Send a name and a password."""
    body = {"username": name, "password": password}
    return await client.request("POST", path, body, keep=False)


class Flood:
    """Requests that are sent at one moment.

    Args:
        client: who sends them.
        path: where to.
        word: how the names in them begin.
    """

    def __init__(self, client: Client, path: str, word: str) -> None:
        self.answers: list[int] = []
        self._first = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._send(client, path, f"{word}-{number}"))
            for number in range(AT_ONCE)
        ]

    async def begun(self) -> None:
        """Wait for its first answer: then all the others wait for their turn."""
        await self._first.wait()

    async def over(self) -> Counter[int]:
        """Wait for its end; how often each status came."""
        await asyncio.gather(*self._tasks)
        return Counter(self.answers)

    async def _send(self, client: Client, path: str, name: str) -> None:
        self.answers.append((await send(client, path, name)).status_code)
        self._first.set()


@pytest.mark.proves("A66", "15.2.2")
async def test_a_sign_in_is_served_before_the_sign_ups_that_wait(
    server: ExactServer, flooder: Client, home: Client
) -> None:
    async with Client(server.url, address=OTHERS[0]) as person:
        await person.sign_up("anna")
    flood = Flood(flooder, "/api/signup", "flood")
    await flood.begun()
    assert (await send(home, "/api/login", "anna")).status_code == 200
    served_before = len(flood.answers)
    assert served_before <= AT_ONCE // 2
    assert await flood.over() == {201: AT_ONCE}


@pytest.mark.proves("A63", "A66", "6.3.8")
async def test_of_many_sign_ins_of_one_address_others_wait_for_few_with_an_account_or_without(
    server: ExactServer, flooder: Client, home: Client
) -> None:
    async with Client(server.url, address=OTHERS[1]) as person:
        await person.sign_up("berta")
    flood = Flood(flooder, "/api/login", "nobody")
    await flood.begun()
    async with Client(server.url, address=OTHERS[2]) as stranger:
        known = asyncio.create_task(send(home, "/api/login", "berta"))
        unknown = asyncio.create_task(send(stranger, "/api/login", "not-berta"))
        assert [(await known).status_code, (await unknown).status_code] == [200, 401]
    assert len(flood.answers) <= AT_ONCE // 2
    assert await flood.over() == {401: AT_ONCE}


async def test_nothing_is_hashed_for_clients_that_have_gone(
    server: ExactServer, home: Client
) -> None:
    before = await accounts_made(home)
    host, port = "127.0.0.1", server.port
    gone = [
        await asyncio.open_connection(host, port, local_addr=(OTHERS[3], 0)) for _ in range(AT_ONCE)
    ]
    for number, (_, writer) in enumerate(gone):
        writer.write(raw_sign_up(server, f"gone-{number}"))
    first = asyncio.FIRST_COMPLETED
    await asyncio.wait([asyncio.create_task(each.read(1)) for each, _ in gone], return_when=first)
    for _, writer in gone:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    async with Client(server.url, address=OTHERS[4]) as newcomer:
        await newcomer.sign_up("clara")
    assert await accounts_made(home) - before <= AT_ONCE // 2


def raw_sign_up(server: ExactServer, name: str) -> bytes:
    """A request for an account, as it is on the wire."""
    body = f'{{"username": "{name}", "password": "{PASSWORD}"}}'
    head = (
        "POST /api/signup HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Origin: {server.url}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*head, "", body]).encode()


async def accounts_made(client: Client) -> int:
    """How many accounts this process has made for people."""
    text = (await client.request("GET", "/metrics", keep=False)).text
    found = re.search(r'curfew_tries_total\{act="sign_up",.*outcome="succeeded"\} (\d+)', text)
    return int(found[1]) if found else 0


@pytest.mark.proves("15.2.2")
async def test_made_accounts_are_bounded_for_an_address_and_in_all_over_all_processes(
    strict: ExactServer,
) -> None:
    made = {}
    for address in (OTHERS[0], OTHERS[1], OTHERS[2]):
        async with Client(strict.url, address=address) as client:
            name = f"new-{address.rpartition('.')[2]}"
            made[address] = await Flood(client, "/api/signup", name).over()
    assert [made[each][201] for each in made] == [5, 3, 0]
    assert [made[each][429] for each in made] == [AT_ONCE - 5, AT_ONCE - 3, AT_ONCE]
    async with Client(strict.url, address=OTHERS[2]) as client:
        refused = await send(client, "/api/signup", "one-more")
        assert refused.json()["type"] == "/problems/throttled"
        assert 0 < int(refused.headers["Retry-After"]) <= 720


async def keep(client: Client, data: object) -> httpx.Response:
    """Keep data in the client's session; begin one if it has none."""
    return await client.request("PATCH", "/api/session/data", data)


async def begin(client: Client, data: object) -> None:
    """Begin a session by keeping data."""
    answer = await keep(client, data)
    if answer.status_code == 429:
        await asyncio.sleep(int(answer.headers["Retry-After"]))
        answer = await keep(client, data)
    assert answer.status_code == 200
    client.csrf_token = (await client.request("GET", "/api/session")).json()["csrf_token"]


async def keep_at_once(server: ExactServer, address: str, number: int) -> Counter[int]:
    """Begin as many sessions with large data from an address; how often each status came."""
    async with Client(server.url, address=address) as client:
        answers = await asyncio.gather(
            *(
                client.request("PATCH", "/api/session/data", LARGE, keep=False)
                for _ in range(number)
            )
        )
    return Counter(each.status_code for each in answers)


@pytest.mark.proves("15.2.2")
async def test_what_strangers_keep_is_bounded_for_an_address_and_in_all_over_all_processes(
    strict: ExactServer,
) -> None:
    strict.command("user", "add", "dora", given=f"{PASSWORD}\n{PASSWORD}\n")
    async with (
        Client(strict.url, address=FLOODER) as visitor,
        Client(strict.url, address=FLOODER) as person,
    ):
        await begin(visitor, {"basket": [1]})
        await person.sign_in("dora")
        answers = await keep_at_once(strict, FLOODER, 40)
        assert set(answers) == {200, 429}
        assert 14 <= answers[200] <= 17  # one MiB
        refused = await keep(visitor, LARGE)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/visitors-full")
        assert 0 < int(refused.headers["Retry-After"]) <= 60

        # The sessions that exist go on, other addresses have their room, and who has an account is
        # no stranger.
        assert (await visitor.request("GET", "/api/session/data")).json() == {"basket": [1]}
        assert (await keep(person, LARGE)).status_code == 200
        others = [await keep_at_once(strict, each, 40) for each in (OTHERS[5], OTHERS[6])]
        assert sum(each[200] for each in others) + answers[200] <= 2 * 2**20 // 60_000
        async with Client(strict.url, address=OTHERS[7]) as late:
            assert (await keep(late, LARGE)).status_code == 429


async def test_who_rewrites_the_same_data_again_and_again_is_slowed_down_until_it_is_over() -> None:
    with ExactServer(anonymous_mib_per_address="1") as server:
        async with Client(server.url, address=FLOODER) as client:
            await begin(client, {"n": 0})
            written = [await keep(client, {**LARGE, "n": number}) for number in range(1, 60)]
            seen = Counter(each.status_code for each in written)
            assert set(seen) == {200, 429}
            assert seen[200] < 40  # 17 at once, and one in 3.5 s
            kept = (await client.request("GET", "/api/session/data")).json()
            assert kept["n"] == max(
                n for n, each in enumerate(written, 1) if each.status_code == 200
            )

            # An end gives its room back.
            assert (await client.request("POST", "/api/logout")).status_code == 200
            client.cookie = client.csrf_token = ""
            await begin(client, {"n": 0})
