"""What a new start says before it removes anything; integration tests run it."""

from collections import Counter

import pytest

from server.commands.errors import CommandFailed
from server.commands.store import _confirm, _loss


def test_what_would_be_lost_is_counted() -> None:
    text = _loss(Counter({"account": 3, "session": 2}), 5)
    assert text.startswith("3 accounts, 2 sessions and 0 lists of activity do not open")
    assert "5 accounts open and stay" in text


@pytest.mark.parametrize(("answer", "confirmed"), [("yes", True), ("y", False), ("", False)])
def test_only_yes_starts_over(
    monkeypatch: pytest.MonkeyPatch, answer: str, *, confirmed: bool
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert _confirm() is confirmed


def test_without_a_terminal_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandFailed, match="say --yes to mean it"):
        _confirm()
