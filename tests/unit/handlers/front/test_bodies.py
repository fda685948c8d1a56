"""Bodies: whole however they come, never more than was said, and what is no chunk is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.front.bodies import BodyReader, body_of
from handlers.front.limits import CHUNK_BYTES, CHUNKS_AT_ONCE, FREE_CHUNKS
from handlers.front.parser import Refused

PIECE = 7


def taken(body: BodyReader, sent: bytes, cuts: list[int]) -> tuple[bytes, bytes]:
    """Give the body what was sent, cut in parts; what it took, and what it left."""
    received, got = bytearray(), b""
    for size in [*cuts, len(sent)]:
        received += sent[:size]
        sent = sent[size:]
        while piece := body.take(received):
            assert len(piece) <= PIECE
            got += piece
        if body.is_whole:
            break
    return got, bytes(received) + sent


cuts = st.lists(st.integers(1, 9), max_size=200)


@given(st.binary(max_size=100), cuts)
def test_a_body_of_a_known_length(content: bytes, cuts: list[int]) -> None:
    body = body_of(len(content), 100, PIECE)
    assert taken(body, content + b"next", cuts) == (content, b"next")
    assert body.is_whole


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=9),
    cuts=cuts,
    large=st.booleans(),
)
def test_a_body_in_chunks(chunks: list[bytes], cuts: list[int], *, large: bool) -> None:
    form = b"%X\r\n%b\r\n" if large else b"0%x\r\n%b\r\n"
    sent = b"".join(form % (len(each), each) for each in chunks) + b"000\r\n\r\n"
    body = body_of(None, 400, PIECE)
    assert taken(body, sent + b"next", cuts) == (b"".join(chunks), b"next")
    assert body.is_whole


@given(
    st.sampled_from(
        [b"g\r\n", b"\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b" 1\r\n", b"1 \r\n", b"1;a\r\n",
         b"1\n", b"1\r\nxx\r\n", b"1\r\nx\n\n", b"0\r\nA: b\r\n\r\n", b"0\r\n\n\n", b"1" * 20]
    ),
    cuts,
)  # fmt: skip
def test_what_is_no_chunk_is_refused(sent: bytes, cuts: list[int]) -> None:
    with pytest.raises(Refused) as refused:
        taken(body_of(None, 2**70, PIECE), sent + b"\r\n" + b"x" * 30, cuts)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "sent", [b"65\r\n", b"64\r\n" + b"x" * 100 + b"\r\n1\r\n", b"f" * 16 + b"\r\n"]
)
def test_chunks_that_are_too_many_bytes_are_refused_by_their_first_line(sent: bytes) -> None:
    with pytest.raises(Refused) as refused:
        taken(body_of(None, 100, PIECE), sent, [])
    assert refused.value.status == 413


def test_a_length_that_is_too_much_is_refused() -> None:
    assert not body_of(100, 100, PIECE).is_whole
    with pytest.raises(Refused) as refused:
        body_of(101, 100, PIECE)
    assert refused.value.status == 413


def test_chunks_must_bring_something() -> None:
    crumbs = b"1\r\nx\r\n" * FREE_CHUNKS
    loaf = b"%x\r\n%b\r\n" % (CHUNK_BYTES * 10, b"x" * CHUNK_BYTES * 10)
    assert len(taken(body_of(None, 10**6, PIECE), crumbs + b"0\r\n\r\n", [])[0]) == FREE_CHUNKS
    taken(body_of(None, 10**6, PIECE), loaf + crumbs + b"0\r\n\r\n", [])
    with pytest.raises(Refused) as refused:
        taken(body_of(None, 10**6, PIECE), crumbs * 2, [])
    assert refused.value.status == 413


def test_of_many_chunks_some_are_taken_at_once_and_the_rest_with_the_next_piece() -> None:
    chunks = 3 * CHUNKS_AT_ONCE
    body, received = body_of(None, 1000, 1000), bytearray(b"1\r\nx\r\n" * chunks)
    pieces = [body.take(received) for _ in range(4)]
    assert b"".join(pieces) == b"x" * chunks
    assert max(map(len, pieces)) == CHUNKS_AT_ONCE
