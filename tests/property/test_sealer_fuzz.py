"""The sealer against arbitrary and slightly changed boxes: nothing opens, nothing raises."""

from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.crypto.keyring import Keyring
from server.crypto.sealer import Opened, Sealer
from tests.support.engine.keys import key

RING: Final = Keyring.from_secrets([key("new"), key("old")])
SEALER: Final = Sealer(RING)
BOX: Final = SEALER.seal(b"a record", purpose="record", context="00abc")
HEADERS: Final = [b"\x01" + version.to_bytes(4) for version in RING.derive("record").versions]

any_text = st.text(st.characters(exclude_categories=()))


def opened(box: bytes) -> Opened | None:
    """Open a box in the place of the sample."""
    return SEALER.open(box, purpose="record", context="00abc")


@pytest.mark.proves("A85")
@pytest.mark.parametrize("position", range(len(BOX)))
def test_no_flipped_bit_opens(position: int) -> None:
    for bit in range(8):
        flipped = bytes([BOX[position] ^ (1 << bit)])
        assert opened(BOX[:position] + flipped + BOX[position + 1 :]) is None


@pytest.mark.proves("A85")
@pytest.mark.parametrize("length", range(len(BOX)))
def test_no_truncation_opens(length: int) -> None:
    assert opened(BOX[:length]) is None
    assert opened(BOX[len(BOX) - length :]) is None


@given(st.binary())
def test_no_bytes_open(box: bytes) -> None:
    assert opened(box) is None


@given(st.sampled_from(HEADERS), st.binary(max_size=200))
def test_no_bytes_under_a_genuine_header_open(header: bytes, rest: bytes) -> None:
    assert opened(header + rest) is None


@given(st.integers(0, len(BOX)), st.binary(min_size=1))
def test_nothing_can_be_inserted(position: int, inserted: bytes) -> None:
    assert opened(BOX[:position] + inserted + BOX[position:]) is None


@given(st.binary(), st.sampled_from(["record", "event", ""]), any_text)
def test_every_plaintext_and_context_comes_back(plaintext: bytes, use: str, context: str) -> None:
    box = SEALER.seal(plaintext, purpose=use, context=context)
    assert SEALER.open(box, purpose=use, context=context) == Opened(plaintext, stale=False)


@pytest.mark.proves("A86")
@given(any_text, any_text)
def test_every_other_context_is_refused(context: str, other: str) -> None:
    assume(context != other)
    box = SEALER.seal(b"x", purpose="record", context=context)
    assert SEALER.open(box, purpose="record", context=other) is None
