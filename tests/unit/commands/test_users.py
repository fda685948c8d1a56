"""Where a password comes from when nobody sits at a terminal."""

import io

import pytest

from server.commands.users import _read_password


@pytest.mark.parametrize(
    ("given", "password"),
    [("a secret \n", "a secret "), ("first\nsecond\n", "first"), ("no end", "no end"), ("", "")],
)
def test_a_password_is_the_first_line_of_standard_input(
    monkeypatch: pytest.MonkeyPatch, given: str, password: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert _read_password("Password: ") == password
