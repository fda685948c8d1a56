"""Keys that are not random: each rule refuses what it names, and no random key."""

import hashlib
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from string import ascii_letters

import pytest

from server.crypto.weak_keys import LEAST_BYTES, LEAST_DISTINCT_BYTES, flaw_of

GOOD = hashlib.sha256(b"a good key").digest()
PATTERN = "follows a pattern"


def flaw(secret: bytes) -> str | None:
    """Return the flaw of a key, with the text that it has as base64url."""
    return flaw_of(secret, urlsafe_b64encode(secret).rstrip(b"=").decode())


def key_of(text: str) -> bytes:
    """Return the key that somebody typed as base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_key_has_at_least_32_bytes() -> None:
    assert flaw(GOOD) is None
    assert flaw(GOOD[:-1]) == f"has 31 bytes, {LEAST_BYTES} are needed"
    assert flaw(b"") == f"has 0 bytes, {LEAST_BYTES} are needed"


@pytest.mark.parametrize("byte", [0, 7, 0x6B, 255])
def test_one_byte_over_and_over_is_no_key(byte: int) -> None:
    assert flaw(bytes([byte]) * 64) == "is one byte over and over"


def test_a_key_has_at_least_eight_different_bytes() -> None:
    eight = bytes(byte % 8 * 31 for byte in GOOD)
    assert (len(set(eight)), flaw(eight)) == (8, None)
    seven = bytes(byte % 7 * 31 for byte in GOOD)
    assert flaw(seven) == f"has fewer than {LEAST_DISTINCT_BYTES} different bytes"


def test_an_example_of_an_rfc_is_no_key() -> None:
    published = key_of("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg")
    assert flaw(published) == "is an example that everybody can read"
    assert flaw(published[::-1]) is None


def test_readable_text_is_no_key_and_one_other_byte_makes_it_unreadable() -> None:
    text = b"correct horse battery staple,\r\n\ttwice"
    assert flaw(text) == "is readable text"
    assert flaw(text + b"\x7f") is None


@pytest.mark.parametrize("period", range(8, 17))
def test_a_beginning_that_is_repeated_is_a_pattern(period: int) -> None:
    assert flaw((GOOD[:period] * 5)[:32]) == PATTERN


def test_a_beginning_that_comes_back_once_only_in_part_is_none() -> None:
    assert flaw(GOOD[:17] + GOOD[:15]) is None


@pytest.mark.parametrize("step", [1, 7, 100, 255])
def test_counting_is_a_pattern_also_past_the_last_byte(step: int) -> None:
    assert flaw(bytes(200 + step * place & 0xFF for place in range(32))) == PATTERN


def test_counting_is_a_pattern_if_more_than_half_of_the_key_does() -> None:
    counting = bytes(range(128, 128 + 17))
    assert flaw(counting + bytes([200]) + GOOD[:14]) is None
    assert flaw(counting + bytes([145]) + GOOD[:14]) == PATTERN


@pytest.mark.parametrize(
    "typed", ["change-this-" * 4, "0123456789" * 4 + "012", ascii_letters[:43]]
)
def test_a_pattern_in_the_typed_text_counts_too(typed: str) -> None:
    assert flaw_of(key_of(typed), typed) == PATTERN


def test_no_random_key_is_refused() -> None:
    chance = random.Random(1)  # noqa: S311 - the same keys in every run
    for size in (32, 33, 48, 64):
        assert not any(flaw(chance.randbytes(size)) for _ in range(2_000))
