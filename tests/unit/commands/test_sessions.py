"""Ending everything is asked for first; a session that is not live is told about."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from server.commands.errors import CommandFailed
from server.commands.sessions import _confirm, _no_live_session
from server.core.reasons import NoSession, Reason


@pytest.fixture
def type_at_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Types at a terminal that is the standard input."""
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, encoding="utf-8") as file, os.fdopen(keyboard, "wb") as typed:
        monkeypatch.setattr(sys, "stdin", file)

        def type_text(text: str) -> None:
            typed.write(text.encode())
            typed.flush()

        yield type_text


@pytest.mark.parametrize(
    ("answer", "confirmed"),
    [("yes", True), (" yes ", True), ("no", False), ("y", False), ("YES", False), ("", False)],
)
def test_only_yes_ends_everything(
    type_at_terminal: Callable[[str], None], answer: str, *, confirmed: bool
) -> None:
    type_at_terminal(f"{answer}\n")
    assert _confirm() is confirmed


def test_without_a_terminal_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.write(write, b"yes\n")
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(CommandFailed, match="say --yes to mean it"):
            _confirm()


def test_a_session_that_ended_is_told_with_its_reason() -> None:
    assert _no_live_session("x", NoSession()) == "There is no live session 'x'."
    ended = NoSession(Reason.LOGOUT)
    assert _no_live_session("x", ended) == "There is no live session 'x'; it ended: logout."
