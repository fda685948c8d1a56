"""What the person who starts a server is told."""

from pathlib import Path

import pytest

from handlers.serving.listening import announcement
from settings import load_settings


def told(folder: Path, **variables: str) -> str:
    """Return the announcement with these settings."""
    given = {f"CURFEW_{name.upper()}": value for name, value in variables.items()}
    return announcement(load_settings({"CURFEW_DATA_DIR": str(folder), **given}))


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "localhost")]
)
def test_the_address_can_be_opened(tmp_path: Path, host: str, shown: str) -> None:
    assert told(tmp_path, host=host, port="7007") == (
        f"Curfew serves on http://{shown}:7007/ with the store in {tmp_path}. Ctrl-C stops it."
    )


def test_an_external_store_is_told_without_its_address(tmp_path: Path) -> None:
    text = told(tmp_path, store_url="rediss://me:hush@db:6379")
    assert "/ with your store." in text
    assert "db" not in text


def test_a_self_made_certificate_is_told_of(tmp_path: Path) -> None:
    first, second = told(tmp_path, tls_cert="self").splitlines()
    assert first.startswith("Curfew serves on https://")
    assert second.startswith("Its certificate is self-made: browsers warn once")
