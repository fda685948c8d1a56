"""Passwords have a length and nothing else to obey."""

import ast
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from server.core import credentials
from server.core.credentials import (
    BadPassword,
    check_password_shape,
    encode_password,
)


@pytest.mark.parametrize(
    "password",
    [
        "a" * 15,
        "a" * 64,
        "a" * 1024,
        " " * 15,
        "nul\x00is a character",
        "🦊" * 15,
        "é" * 512,
        "e\u0301" * 512,  # 1536 bytes as typed, 1024 after NFC
        "\u03b9\u0308\u0301" * 512,  # the most code points that 1024 bytes can be made of
    ],
)
@pytest.mark.proves("6.2.5", "6.2.9")
def test_good_passwords(password: str) -> None:
    assert check_password_shape(password) is None


@pytest.mark.parametrize("password", ["", "a" * 14, "e\u0301" * 14, "🦊" * 14])
@pytest.mark.proves("6.2.1")
def test_a_password_has_at_least_15_characters(password: str) -> None:
    assert check_password_shape(password) == BadPassword(
        "too_short", "A password has at least 15 characters."
    )


@pytest.mark.parametrize("password", ["a" * 1025, "é" * 513, "🦊" * 257, "a" * 1_000_000])
def test_a_password_has_at_most_1024_bytes(password: str) -> None:
    assert check_password_shape(password) == BadPassword(
        "too_long", "A password has at most 1024 bytes."
    )


@pytest.mark.parametrize("password", ["\ud800" * 15, "long enough, but \udfff"])
def test_half_characters_are_refused(password: str) -> None:
    refused = check_password_shape(password)
    assert isinstance(refused, BadPassword)
    assert "valid text" in refused.detail


def test_a_million_combining_marks_cost_nothing() -> None:
    marks = "\u0315\u0300\u0316" * 333_333
    started = time.perf_counter()
    assert isinstance(check_password_shape("a" + marks), BadPassword)
    assert time.perf_counter() - started < 0.1


@pytest.mark.proves("6.2.8", "A65")
def test_passwords_are_nfc_and_never_nfkc() -> None:
    assert encode_password("e\u0301") == encode_password("\u00e9") == b"\xc3\xa9"
    assert encode_password("\ufb01") != encode_password("fi")
    assert encode_password(" a\x00 ") == b" a\x00 "


def test_no_password_of_1024_bytes_is_refused_for_its_raw_length() -> None:
    characters = (chr(code) for code in range(sys.maxunicode) if not 0xD800 <= code < 0xE000)
    worst = max(
        len(unicodedata.normalize("NFD", character))
        / len(unicodedata.normalize("NFC", character).encode())
        for character in characters
    )
    assert worst * credentials.PASSWORD_MAX_BYTES <= credentials._PASSWORD_MAX_RAW_CHARACTERS


def test_the_module_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(credentials.__file__).read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import)
                for name in node.names}  # fmt: skip
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
