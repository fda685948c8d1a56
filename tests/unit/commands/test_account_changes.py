"""The line of an account in a list, and the question before one is deleted."""

import io
from dataclasses import replace

import pytest

from server.accounts.outcomes import Denial
from server.commands.account_changes import REFUSALS, _confirm, _receipt, account_line
from server.commands.errors import CommandFailed
from server.core.account import Account
from server.core.factors import Factors, Totp

ADA = Account("ada", "hash", admin=False, disabled=False, created_at=0.0)


def test_a_line_says_what_an_operator_looks_for() -> None:
    assert account_line(ADA) == "ada  made 1970-01-01T00:00:00+00:00"
    full = replace(
        ADA,
        admin=True,
        disabled=True,
        factors=Factors(totp=Totp("secret", 0, 0.0)),
        spelling="Ada",
        moving_to="countess",
    )
    assert account_line(full).endswith(
        "  spelled Ada  administrator  disabled  second factor  being renamed to countess"
    )
    assert "secret" not in account_line(full)


def test_without_a_terminal_nothing_is_deleted_unless_it_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(CommandFailed, match="say --yes to mean it"):
        _confirm("ada")


@pytest.mark.parametrize(("typed", "meant"), [("yes", True), ("no", False), ("", False)])
def test_at_a_terminal_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, typed: str, *, meant: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: typed)
    assert _confirm("ada") is meant


@pytest.mark.parametrize("denial", REFUSALS)
def test_a_refusal_is_a_line(denial: Denial) -> None:
    with pytest.raises(CommandFailed) as refused:
        _receipt(denial)
    assert str(refused.value) == REFUSALS[denial]
