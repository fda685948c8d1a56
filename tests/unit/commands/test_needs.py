"""What commands are handed before they run. With the services: tests/integration."""

from pathlib import Path

import pytest

from server.commands.needs import with_settings
from settings import Settings


def test_a_command_gets_the_settings_and_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURFEW_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CURFEW_PORT", "7007")
    seen: list[tuple[int, str]] = []

    def command(settings: Settings, *, word: str) -> None:
        seen.append((settings.port, word))

    with_settings(command)(word="hush")
    assert seen == [(7007, "hush")]
