"""What a client's frame may look like, against a table of RFC 6455."""

import base64
import os
import struct

import pytest

from handlers.websocket import frame_rules

GOOD_CODES = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}


@pytest.mark.proves("A50")
def test_exactly_the_frames_of_the_rfc_may_begin() -> None:
    for first in range(256):
        for second in range(256):
            final, reserved, opcode = first >> 7, first >> 4 & 7, first & 15
            masked, size = second >> 7, second & 127
            well_formed = reserved == 0 and masked == 1 and opcode in {0, 1, 2, 8, 9, 10}
            control = opcode >= 8
            if control:
                well_formed = well_formed and final == 1 and size <= 125
            for in_message in (False, True):
                in_order = control or (opcode == 0) == in_message
                kept = frame_rules.is_valid_start(first, second, in_message=in_message)
                assert kept == (well_formed and in_order), (first, second, in_message)


@pytest.mark.parametrize(
    ("size", "in_bytes", "shortest"),
    [
        (0, 2, False),
        (125, 2, False),
        (126, 2, True),
        (65_535, 2, True),
        (125, 8, False),
        (65_535, 8, False),
        (65_536, 8, True),
        (2**63 - 1, 8, True),
        (2**63, 8, False),
        (2**64 - 1, 8, False),
    ],
)
def test_a_size_is_said_in_as_few_bytes_as_can_be(size: int, in_bytes: int, shortest: bool) -> None:  # noqa: FBT001
    assert frame_rules.is_minimal_size(size, in_bytes) is shortest


@pytest.mark.proves("A50")
def test_exactly_the_close_codes_for_the_wire_may_be_sent() -> None:
    allowed = {
        code for code in range(65_536) if frame_rules.is_valid_close(struct.pack("!H", code))
    }
    assert allowed == GOOD_CODES


def test_a_close_frame_is_empty_or_has_a_code_and_text() -> None:
    assert frame_rules.is_valid_close(b"")
    assert not frame_rules.is_valid_close(b"\x03")
    assert frame_rules.is_valid_close(b"\x03\xe8" + "bye ☾".encode())
    assert not frame_rules.is_valid_close(b"\x03\xe8\xff")


def test_a_key_is_16_bytes_in_base64() -> None:
    for size in range(32):
        key = base64.b64encode(os.urandom(size)).decode()
        assert frame_rules.is_key(key) == (size == 16)
    assert not frame_rules.is_key("-" * 22 + "==")
    assert not frame_rules.is_key("A" * 22 + "==\n")


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f" + struct.pack("!Q", 65_536)),
    ],
)
def test_a_servers_frame_says_its_size_in_as_few_bytes_as_it_can(size: int, head: bytes) -> None:
    assert frame_rules.frame_of_server(frame_rules.TEXT, b"x" * size) == head + b"x" * size
