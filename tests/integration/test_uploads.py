"""Bodies of an application's handlers: limits of their own, and checks before the first byte."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from curfew import Application, BaseHandler, Problem, ProblemRaised, stream_request_body
from curfew.testing import Client, InProcess

MEGABYTE = 1024 * 1024


class Short(BaseHandler):
    """Takes 10 bytes."""

    max_body_bytes = 10

    def put(self) -> None:
        """Say how many came."""
        self.finish_json({"bytes": len(self.request.body)})


@stream_request_body
class Streamed(BaseHandler):
    """Takes three megabytes, in pieces."""

    max_body_bytes = 3 * MEGABYTE
    pieces = 0
    size = 0
    begun = acted = False

    async def prepare(self) -> None:
        """Begin, behind the checks."""
        await super().prepare()
        Streamed.begun = True

    async def data_received(self, chunk: bytes) -> None:
        """Count."""
        self.pieces += 1
        self.size += len(chunk)

    def put(self) -> None:
        """Say how many came."""
        Streamed.acted = True
        self.finish_json({"bytes": self.size, "in_pieces": self.pieces > 1})


class Hasty(Streamed):
    """Does not wait for long."""

    body_seconds = 0.1


NO_PICTURE = Problem(422, "no-picture", "That is no picture", "Send a PNG.")
FAULTS = {b"P": ProblemRaised(NO_PICTURE), b"V": ValueError("a fault"), b"E": SystemExit(0)}
"""What a handler raises, by the byte that a piece begins with."""


class Picky(Streamed):
    """Does not take everything."""

    def data_received(self, chunk: bytes) -> None:  # type: ignore[override]  # Tornado takes both
        """Refuse, or fail."""
        self.pieces += 1
        if fault := FAULTS.get(chunk[:1]):
            raise fault


class PickyLater(Streamed):
    """Finds out in a coroutine."""

    async def data_received(self, chunk: bytes) -> None:
        """Refuse, or fail."""
        await asyncio.sleep(0)
        if fault := FAULTS.get(chunk[:1]):
            raise fault


@pytest.fixture
async def served(store_url: str) -> AsyncIterator[InProcess]:
    """The application."""
    routes = [(r"/short", Short), (r"/streamed/(.*)", Streamed), (r"/streamed", Streamed)]
    routes += [(r"/hasty", Hasty), (r"/picky", Picky), (r"/picky-later", PickyLater)]
    application = Application("uploads", routes=routes)
    variables = {"CURFEW_STORE_URL": store_url}
    async with InProcess(application, variables=variables) as served:
        yield served


@pytest.fixture
async def ada(served: InProcess) -> AsyncIterator[Client]:
    """Somebody who is signed in."""
    async with served.client() as client:
        yield await client.sign_up("ada")


async def test_a_handler_has_a_limit_of_its_own(ada: Client) -> None:
    for size, status in ((10, 200), (11, 413)):
        answer = await ada.http.put(
            "/short", content=b"x" * size, headers={"X-CSRF-Token": ada.csrf_token}
        )
        assert answer.status_code == status


async def test_a_large_body_comes_in_pieces_up_to_the_limit(ada: Client) -> None:
    token = {"X-CSRF-Token": ada.csrf_token}
    taken = await ada.http.put("/streamed", content=b"x" * 3 * MEGABYTE, headers=token)
    assert taken.json() == {"bytes": 3 * MEGABYTE, "in_pieces": True}
    refused = await ada.http.put("/streamed", content=b"x" * (3 * MEGABYTE + 1), headers=token)
    assert refused.status_code == 413
    assert refused.json()["type"] == "/problems/body-too-large"

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * MEGABYTE

    assert (
        await ada.http.put("/streamed", content=unannounced(), headers=token)
    ).status_code == 413


async def begin(
    served: InProcess, person: Client, path: str = "/streamed", **changed: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the head of an upload."""
    Streamed.begun = Streamed.acted = False
    headers = {
        "Host": served.url.removeprefix("http://"),
        "Origin": served.url,
        "Cookie": person.http.headers["Cookie"],
        "X-CSRF-Token": person.csrf_token,
        "Content-Length": str(MEGABYTE),
        "Expect": "100-continue",
        **changed,
    }
    lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return reader, writer


async def next_status(reader: asyncio.StreamReader) -> int:
    """Read up to the next status line, and return its number."""
    async with asyncio.timeout(10):
        while not (line := await reader.readline()).startswith(b"HTTP/1.1 "):
            assert line.strip() == b"", line
    return int(line.split()[1])


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Cookie": "none=0"}, 401),
        ({"X-CSRF-Token": "wrong"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Length": str(4 * MEGABYTE)}, 413),
        ({}, 100),
    ],
)
async def test_every_check_comes_before_the_first_byte(
    served: InProcess, ada: Client, changed: dict[str, str], status: int
) -> None:
    reader, writer = await begin(served, ada, **changed)
    assert await next_status(reader) == status
    assert Streamed.begun is (status == 100)
    writer.close()


async def test_who_is_signed_out_during_an_upload_changes_nothing(
    served: InProcess, ada: Client
) -> None:
    reader, writer = await begin(served, ada)
    assert await next_status(reader) == 100
    writer.write(b"x" * 1000)
    assert await served.end_session(ada.sid)
    writer.write(b"x" * (MEGABYTE - 1000))
    assert await next_status(reader) == 401
    assert not Streamed.acted
    writer.close()


@pytest.mark.parametrize("path", ["/picky", "/picky-later"])
@pytest.mark.parametrize(("first", "status"), [(b"P", 422), (b"V", 500), (b"E", 500), (b"x", 200)])
@pytest.mark.parametrize("size", [10, MEGABYTE])
async def test_a_handler_that_refuses_a_piece_or_fails_answers_and_does_not_act(
    ada: Client, path: str, first: bytes, status: int, size: int
) -> None:
    Streamed.acted = False
    answered = await ada.http.put(
        path, content=first + b"x" * (size - 1), headers={"X-CSRF-Token": ada.csrf_token}
    )
    assert answered.status_code == status
    assert Streamed.acted is (status == 200)
    if status != 200:
        slug = "no-picture" if status == 422 else "internal"
        assert answered.json()["type"] == f"/problems/{slug}"
    assert (await ada.request("GET", "/api/session")).status_code == 200


async def test_an_upload_that_is_cut_off_keeps_no_server_from_stopping(
    served: InProcess, ada: Client
) -> None:
    reader, writer = await begin(served, ada)
    assert await next_status(reader) == 100
    writer.close()
    async with asyncio.timeout(5):
        await served.tornado.idle()
    assert not Streamed.acted


async def test_a_body_that_takes_longer_than_its_handler_waits_is_refused(
    served: InProcess, ada: Client
) -> None:
    reader, writer = await begin(served, ada, "/hasty")
    assert await next_status(reader) == 100
    assert await next_status(reader) == 408
    assert not Streamed.acted
    writer.close()


def test_a_large_body_that_would_be_kept_whole_is_refused_at_the_start() -> None:
    class Whole(BaseHandler):
        """Wants too much."""

        max_body_bytes = 2 * MEGABYTE

    flaw = Application("uploads", routes=[(r"/whole", Whole)]).flaw
    assert flaw is not None
    assert "stream_request_body" in flaw
