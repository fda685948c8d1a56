"""Tokens: computed from a seed, told from everything else, and never shown by accident."""

import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.token import (
    MAX_GENERATION,
    Token,
    csrf_token,
    is_genuine,
    is_sid,
    issue_token,
    make_sid,
    parse_token,
    shard_of_sid,
)

SEED: Final = bytes(range(32))
SID: Final = make_sid(7, bytes(range(16)))
SECRET: Final = issue_token(SID, SEED, 1).secret


def test_the_secret_is_the_hmac_of_the_number_under_the_seed() -> None:
    for number in (1, 2, MAX_GENERATION):
        digest = hmac.new(SEED, number.to_bytes(8, "big"), "sha256").digest()
        expected = urlsafe_b64encode(digest).decode().rstrip("=")
        assert issue_token(SID, SEED, number) == Token(SID, number, expected)


@pytest.mark.proves("11.2.3")
def test_only_the_secret_of_its_own_number_is_genuine() -> None:
    assert is_genuine(issue_token(SID, SEED, 5), SEED)
    assert not is_genuine(Token(SID, 6, issue_token(SID, SEED, 5).secret), SEED)
    assert not is_genuine(issue_token(SID, SEED, 5), SEED[::-1])
    assert not is_genuine(Token(SID, 5, ""), SEED)


@given(st.integers(0, 99), st.binary(min_size=16, max_size=16), st.integers(1, MAX_GENERATION))
def test_a_token_survives_its_way_through_the_cookie(shard: int, raw: bytes, number: int) -> None:
    token = issue_token(make_sid(shard, raw), SEED, number)
    assert parse_token(str(token)) == token
    assert shard_of_sid(token.sid) == shard
    assert is_sid(token.sid)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        f"{SID}.1",
        f"{SID}.1.{SECRET[:-1]}",
        f"{SID}.1.{SECRET}A",
        f"{SID}.1.{SECRET}.",
        f"{SID}.0.{SECRET}",
        f"{SID}.01.{SECRET}",
        f"{SID}.-1.{SECRET}",
        f"{SID}.+1.{SECRET}",
        f"{SID}.1_0.{SECRET}",
        f"{SID}.\u0661.{SECRET}",  # a digit elsewhere
        f"{SID}.1000000000.{SECRET}",
        f"{SID[:-1]}.1.{SECRET}",
        f"{SID}A.1.{SECRET}",
        f"x7{SID[2:]}.1.{SECRET}",
        f"\u0667\u0667{SID[2:]}.1.{SECRET}",
        f"{SID[:-1]}*.1.{SECRET}",
        f"{SID[:-1]}:.1.{SECRET}",
        f" {SID}.1.{SECRET}",
        f"{SID}.1.{SECRET}\n",
        f"{SID}.1.{SECRET[:-1]}=",
        f"{SID}.1.{SECRET[:-1]}\u00e9",
    ],
)
def test_nothing_else_is_a_token(text: str) -> None:
    assert parse_token(text) is None


@given(st.text())
def test_any_text_is_a_token_in_its_one_form_or_none(text: str) -> None:
    token = parse_token(text)
    assert token is None or str(token) == text


@pytest.mark.parametrize(
    "text",
    ["", "07", SID[:-1], f"{SID}A", f"{SID}\n", "07" + "é" * 22, "{}" + SID[2:], "*" * 24],
)
@pytest.mark.proves("A14")
def test_nothing_else_reaches_a_key_name(text: str) -> None:
    assert not is_sid(text)


@pytest.mark.proves("7.2.3", "11.5.1")
def test_a_sid_carries_all_of_its_random_bytes() -> None:
    assert re.fullmatch(r"07[A-Za-z0-9_-]{22}", SID)
    assert len({make_sid(7, bytes([byte]) + bytes(15)) for byte in range(256)}) == 256
    assert len({make_sid(7, bytes(15) + bytes([byte])) for byte in range(256)}) == 256


def test_repr_does_not_show_the_secret() -> None:
    assert SECRET not in repr(issue_token(SID, SEED, 1))


@pytest.mark.proves("A13")
def test_the_csrf_token_is_the_sessions_own_and_no_tokens_secret() -> None:
    assert csrf_token(SEED) == csrf_token(SEED) != csrf_token(SEED[::-1])
    assert len(csrf_token(SEED)) == 43
    assert not any(
        is_genuine(Token(SID, number, csrf_token(SEED)), SEED) for number in range(1, 1000)
    )
