"""Arbitrary frames and bytes to a running socket, and arbitrary text to what reads it."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.websocket.frame_rules import is_valid_close
from handlers.websocket.handler import READ_AT_MOST
from server.core import messages
from server.core.messages import ActivityFrame, BadFrame, CloseCode, MessageFrame, PingFrame
from tests.support.clients.client import Client
from tests.support.clients.sockets import CLOSE, NO_CODE, TEXT, RawSocket, raw_frame
from tests.support.servers.server import HASTY, CurfewServer

bounded = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHORT_WAIT: Final = 0.3
OURS: Final = {code.value for code in CloseCode}


class Loop:
    """Somebody signed in, and a loop that runs between the examples."""

    def __init__(self, server: CurfewServer) -> None:
        self._runner = asyncio.Runner()
        self.client = Client(server.url)
        self.run(self.client.sign_up("anna"))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run until it is done."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the connections."""
        self.run(self.client.http.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    with CurfewServer(script=HASTY) as running:
        yield running
        assert " ERROR " not in running.log, running.log
        assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def loop(server: CurfewServer) -> Iterator[Loop]:
    loop = Loop(server)
    yield loop
    loop.close()


json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
).map(json.dumps)
typed = st.builds(
    '{{"type":{},"data":{}}}'.format,
    st.sampled_from(['"ping"', '"message"', '"activity"', '"ended"', "1", "null"]),
    json_text,
)
payloads = (
    st.sampled_from([b'{"type":"ping"}', b'{"type":"activity"}'])
    | (typed | json_text | st.text(max_size=60)).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
    | st.binary(max_size=140)
)
well_formed = st.builds(
    raw_frame, st.sampled_from([0x0, 0x1, 0x1, 0x2, 0x8, 0x9, 0xA]), payloads, final=st.booleans()
)
flipped = st.tuples(well_formed, st.integers(0, 15), st.integers(1, 255)).map(
    lambda each: bytes(
        byte ^ each[2] if place == each[1] else byte for place, byte in enumerate(each[0])
    )
)
sent = st.lists(well_formed | well_formed | flipped | st.binary(max_size=40), max_size=8)


async def answer_to(client: Client, data: bytes) -> int | None:
    """Send bytes and a close frame; the code that the server closes with, None without one.

    If the bytes end within a frame, zeros complete it.
    """
    socket = await RawSocket.open(client)
    try:
        await socket.types_until("hello")
        await socket.write(data + raw_frame(CLOSE, b"\x03\xe8"))
        closing = asyncio.create_task(socket.until_close())
        await asyncio.wait([closing], timeout=SHORT_WAIT)
        if not closing.done():
            await socket.write(bytes(READ_AT_MOST))
        _, code = await closing
    except (ConnectionError, asyncio.IncompleteReadError):
        return None
    finally:
        await socket.close()
    return code


@pytest.mark.proves("A50", "A49")
@bounded
@given(sent.map(b"".join))
def test_no_frames_break_a_socket_or_hang_it(loop: Loop, data: bytes) -> None:
    code = loop.run(answer_to(loop.client, data))
    assert code is None or code in OURS or code == NO_CODE or is_valid_close(code.to_bytes(2))


async def pong_after(client: Client, texts: list[bytes]) -> list[str]:
    socket = await RawSocket.open(client)
    try:
        await socket.types_until("hello")
        for each in texts:
            await socket.send(TEXT, each)
        await socket.send(TEXT, b'{"type":"ping"}')
        return await socket.types_until("pong")
    finally:
        await socket.close()


@pytest.mark.proves("A54")
@settings(bounded, max_examples=60)
@given(st.lists(typed | json_text | st.text(max_size=60), max_size=6))
def test_no_text_closes_a_socket_or_stays_unanswered(loop: Loop, texts: list[str]) -> None:
    data = [each.encode("utf-8", "replace") for each in texts]
    types = loop.run(pong_after(loop.client, data))
    assert set(types) <= {"error", "pong", "message"}


@given(typed | json_text | st.text() | st.binary())
def test_every_frame_has_a_meaning(text: str | bytes) -> None:
    found = messages.read_frame(text)
    assert isinstance(found, (PingFrame, ActivityFrame, MessageFrame, BadFrame))
    if isinstance(found, MessageFrame):
        assert json.loads(messages.message("c", found.data))["data"] == found.data


def test_afterwards_the_socket_serves(loop: Loop) -> None:
    assert loop.run(pong_after(loop.client, [])) == ["pong"]
