"""What cannot be undone is asked for, once, and only on a terminal."""

import pytest

from server.commands.confirmation import confirm
from server.commands.errors import CommandFailed


@pytest.mark.parametrize(("answer", "confirmed"), [("yes", True), (" yes ", True), ("y", False)])
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str, *, confirmed: bool) -> None:
    asked = []

    def reply(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", reply)
    assert confirm("This ends all", "End all?") is confirmed
    assert asked == ["End all? Type yes: "]


def test_where_nobody_can_be_asked_the_line_says_what_it_would_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandFailed, match=r"^This ends all; say --yes to mean it\.$"):
        confirm("This ends all", "End all?")
