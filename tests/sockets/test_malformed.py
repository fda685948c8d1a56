"""Whatever a client sends, it hears what was wrong, and the server goes on."""

import asyncio
import json
import struct

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.clients.client import Client
from tests.support.clients.people import People
from tests.support.clients.sockets import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawSocket,
    end_of,
    frame,
    raw_frame,
    raw_socket,
)

MAX_FRAME_BYTES = 64 * 1024

BAD_FRAMES = {
    "": "bad_json",
    "not json": "bad_json",
    "{": "bad_json",
    "NaN": "bad_json",
    '{"type":"message","data":NaN}': "bad_json",
    '{"type":"message","data":1e999}': "bad_json",
    '{"type":"message","data":Infinity}': "bad_json",
    '{"type":"ping","type":"ping"}': "bad_json",
    '{"type":"message","data":{"a":1,"a":2}}': "bad_json",
    '{"type":"ping"}{"type":"ping"}': "bad_json",
    '{"type":"message","data":' + "9" * 5000 + "}": "bad_json",
    "[" * 30_000: "bad_json",
    "[" * 30_000 + "]" * 30_000: "bad_json",
    '{"type":"message","data":' + "[" * 20_000 + "]" * 20_000 + "}": "bad_json",
    '{"type":"message","data":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}": "bad_json",
    '{"type":"message","data":"\\ud800"}': "bad_json",
    '{"type":"message","data":{"\\udfff":"\\ud83d"}}': "bad_json",
    "null": "bad_frame",
    "1": "bad_frame",
    '"ping"': "bad_frame",
    "[]": "bad_frame",
    '["ping"]': "bad_frame",
    "{}": "bad_frame",
    '{"type":1}': "bad_frame",
    '{"type":null}': "bad_frame",
    '{"type":["ping"]}': "bad_frame",
    '{"TYPE":"ping"}': "bad_frame",
    '{"type":"Ping"}': "unknown_type",
    '{"type":""}': "unknown_type",
    '{"type":"hello"}': "unknown_type",
    '{"type":"ended","reason":"admin"}': "unknown_type",
    '{"type":"ping\\u0000"}': "unknown_type",
    '{"type":"ping","data":1}': "bad_fields",
    '{"type":"activity","at":1}': "bad_fields",
    '{"type":"message"}': "bad_fields",
    '{"type":"message","data":1,"to":"somebody"}': "bad_fields",
    '{"type":"message","from":"me","data":1}': "bad_fields",
}


@pytest.mark.proves("A54", "2.2.1")
async def test_a_bad_frame_is_answered_with_an_error_and_the_socket_stays_open(
    people: People,
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        for text, code in BAD_FRAMES.items():
            await socket.send(text)
            answer = await frame(socket, "error")
            assert (answer["code"], text[:60]) == (code, text[:60])
            assert answer.keys() == {"type", "code", "detail"}
        await socket.send('{"type":"ping"}')
        await frame(socket, "pong")


async def test_no_depth_of_nesting_harms_anybody(people: People) -> None:
    """Each depth is refused or delivered, and nothing in between.

    Python reads and writes JSON by recursion: what was just shallow enough to be read may be too
    deep to be written where less of the stack is left.
    """
    client, depths = await people.somebody(), [1, 20, *range(940, 1_000)]
    delivered = []
    async with client.open_socket() as sender, client.open_socket() as tab:
        await frame(tab, "hello")
        for depth in depths:
            data = "[" * depth + "]" * depth
            await sender.send('{"type":"message","data":' + data + "}")
            await sender.send('{"type":"ping"}')
            if "error" not in await types_until(sender, "pong"):
                await frame(tab, "message")
                delivered.append(depth)
    assert delivered[:2] == [1, 20]


async def test_a_binary_frame_is_answered_with_an_error(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await socket.send(b'{"type":"ping"}')
        assert (await frame(socket, "error"))["code"] == "binary_frame"


@pytest.mark.parametrize("data", ['"\\u0000"', '"\\ud83c\\udf19"', '"\u202e\u2028"', '{"": ""}'])
async def test_odd_characters_pass_as_they_are(people: People, data: str) -> None:
    client = await people.somebody()
    async with client.open_socket() as sender, client.open_socket() as tab:
        await frame(tab, "hello")
        await sender.send('{"type":"message","data":' + data + "}")
        assert (await frame(tab, "message"))["data"] == json.loads(data)


async def test_the_largest_frame_passes(people: People) -> None:
    client = await people.somebody()
    text = "x" * (MAX_FRAME_BYTES - len('{"type":"message","data":""}'))
    async with client.open_socket() as sender, client.open_socket() as tab:
        await frame(tab, "hello")
        await sender.send('{"type":"message","data":"' + text + '"}')
        assert (await frame(tab, "message"))["data"] == text


@pytest.mark.proves("A49")
@pytest.mark.parametrize("spare", [1, 1_000, 100_000, 2_000_000])
async def test_a_frame_over_64_kib_closes_with_1009(people: People, spare: int) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await frame(socket, "hello")
        sending = asyncio.ensure_future(socket.send("x" * (MAX_FRAME_BYTES + spare)))
        end = await end_of(socket)
        await asyncio.wait([sending])
        sending.exception()
    assert end.code == 1009


async def test_no_reset_overtakes_the_close_frame(people: People) -> None:
    """With bytes left unread the system would send one; a client would come back and repeat it."""
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.send(TEXT, b"x" * 200_000)
        assert (await socket.until_close())[1] == 1009
        await socket.send(CLOSE, b"\x03\xf1")
        assert await socket.until_cut()


@pytest.mark.proves("A49")
async def test_64_kib_are_counted_in_bytes_not_in_characters(people: People) -> None:
    client = await people.somebody()
    text = "🌙" * (MAX_FRAME_BYTES // 4)
    async with client.open_socket() as socket:
        await socket.send('{"type":"message","data":"' + text + '"}')
        assert (await end_of(socket)).code == 1009


@pytest.mark.proves("A49")
async def test_fragments_are_counted_together(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await socket.send(["x" * 30_000] * 3)
        assert (await end_of(socket)).code == 1009


async def test_a_message_in_fragments_is_one_message(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        await socket.send(['{"ty', 'pe":"pi', 'ng"}'])
        await frame(socket, "pong")


@pytest.mark.proves("A50")
@pytest.mark.parametrize(
    "payload", [b"\xff\xfe", b'{"type":"ping\xc3"}', b"\xed\xa0\x80", b"\xc0\x80"]
)
async def test_text_that_is_no_utf8_closes_with_1008(people: People, payload: bytes) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.send(TEXT, payload)
        _, code = await socket.until_close()
    assert code == 1008


BROKEN = {
    "reserved opcode": raw_frame(0x3, b""),
    "reserved control opcode": raw_frame(0xB, b""),
    "first reserved bit, as of a compressed message": bytes([0xC1, 0x80]) + bytes(4),
    "second reserved bit": bytes([0xA1, 0x80]) + bytes(4),
    "third reserved bit": bytes([0x91, 0x80]) + bytes(4),
    "no mask": bytes([0x81, 15]) + b'{"type":"ping"}',
    "no mask on a ping": bytes([0x89, 0]),
    "fragmented ping": raw_frame(PING, b"", final=False),
    "long ping": raw_frame(PING, b"x" * 126),
    "continuation of nothing": raw_frame(0x0, b"{}"),
    "interrupted message": raw_frame(TEXT, b"{", final=False) + raw_frame(TEXT, b"{}"),
    "size in more bytes than needed": bytes([0x81, 0xFE, 0, 2]) + bytes(4) + b"{}",
    "absurd size": bytes([0x81, 0xFF]) + struct.pack("!Q", 2**63) + bytes(4),
    "close with half a code": raw_frame(CLOSE, b"\x03"),
    "close with a reason that is no UTF-8": raw_frame(CLOSE, b"\x03\xe8\xff\xff"),
    "close with a code that does not exist": raw_frame(CLOSE, b"\x00\x00"),
    "close with 999": raw_frame(CLOSE, struct.pack("!H", 999)),
    "close with 1005": raw_frame(CLOSE, struct.pack("!H", 1005)),
    "close with 1006": raw_frame(CLOSE, struct.pack("!H", 1006)),
    "close with 1015": raw_frame(CLOSE, struct.pack("!H", 1015)),
    "long close": raw_frame(CLOSE, b"\x03\xe8" + b"x" * 124),
    "http again": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(1000),
}


@pytest.mark.proves("A50")
async def test_what_is_no_frame_closes_with_1002_and_nothing_of_it_is_handled(
    people: People,
) -> None:
    client = await people.somebody()
    async with client.open_socket() as tab:
        told = await asyncio.gather(*(told_of(client, data) for data in BROKEN.values()))
        await tab.send('{"type":"ping"}')
        await frame(tab, "pong")
    assert dict(zip(BROKEN, told, strict=True)) == dict.fromkeys(BROKEN, ([], 1002))


async def told_of(client: Client, data: bytes) -> tuple[list[str], int]:
    """What a socket hears that sends these bytes and a ping, up to the code it is closed with."""
    async with raw_socket(client) as socket:
        await socket.types_until("hello")
        await socket.write(data + raw_frame(TEXT, b'{"type":"ping"}'))
        frames, code = await socket.until_close()
        async with asyncio.timeout(10):
            assert await socket.until_cut()
    return [each["type"] for each in frames if each["type"] != "sessions"], code


@pytest.mark.proves("A49")
@pytest.mark.parametrize("size", [2**18 + 1, 2**24, 2**63 - 1])
async def test_a_size_that_nobody_waits_for_closes_with_1009_before_it_comes(
    people: People, size: int
) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.write(bytes([0x81, 0xFF]) + struct.pack("!Q", size) + bytes(4))
        assert (await socket.until_close())[1] == 1009


@pytest.mark.proves("A49")
async def test_an_offer_to_compress_is_not_taken(people: People) -> None:
    client = await people.somebody()
    async with client.open_socket(compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


async def test_what_is_cut_in_the_middle_of_a_frame_is_forgotten(people: People) -> None:
    client = await people.somebody()
    socket = await RawSocket.open(client)
    await socket.write(raw_frame(TEXT, b'{"type":"ping"}')[:9])
    await socket.close()
    async with client.open_socket() as tab:
        await frame(tab, "hello")


async def test_an_unasked_pong_and_an_empty_binary_frame_do_no_harm(people: People) -> None:
    client = await people.somebody()
    async with raw_socket(client) as socket:
        await socket.send(PONG, b"unasked")
        await socket.send(BINARY, b"")
        await socket.send(TEXT, b'{"type":"ping"}')
        assert await socket.types_until("pong") == ["hello", "error", "pong"]


async def types_until(socket: ClientConnection, kind: str) -> list[str]:
    """The types of all frames up to the first of a kind."""
    types: list[str] = []
    while types[-1:] != [kind]:
        types.append(json.loads(await socket.recv())["type"])
    return types
