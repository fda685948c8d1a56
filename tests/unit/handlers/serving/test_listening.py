"""What the person who starts a server is told."""

import socket
from pathlib import Path

import pytest

from handlers.serving.listening import announcement, listen
from server.core.errors import ConfigurationError
from server.crypto.keyring import new_secret
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
    assert text.endswith(f"is {tmp_path}.")


def test_a_self_made_certificate_is_told_of(tmp_path: Path) -> None:
    first, second = told(tmp_path, tls_cert="self").splitlines()
    assert first.startswith("Curfew serves on https://")
    assert second.startswith("Its certificate is self-made: browsers warn once")


def test_what_it_listens_on_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, host="unix:/run/http.sock").startswith(
        "Curfew serves on unix:/run/http.sock with"
    )
    settings = load_settings({"CURFEW_DATA_DIR": str(tmp_path)})
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_UNIX) as two:
        two.bind(str(tmp_path / "http.sock"))
        port = one.getsockname()[1]
        assert announcement(settings, [one, two]).startswith(
            f"Curfew serves on the service manager's 127.0.0.1:{port}, "
            f"the service manager's unix:{tmp_path}/http.sock with"
        )


def test_a_folder_that_is_not_there_and_not_needed_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = told(tmp_path / "file" / "data", store_url="rediss://db", secret_keys=new_secret())
    assert text.endswith(
        f"It has no data folder, and needs none: {tmp_path}/file/data cannot be written in."
    )


def test_a_unix_socket_that_cannot_be_made_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reach(_: object) -> None: ...

    monkeypatch.setattr("handlers.serving.listening._reach_store", reach)
    host = f"unix:{tmp_path}/missing/http.sock"
    settings = load_settings({"CURFEW_DATA_DIR": str(tmp_path), "CURFEW_HOST": host})
    with pytest.raises(ConfigurationError) as caught:
        listen(settings)
    assert str(caught.value) == f"CURFEW_HOST {host} cannot be used: No such file or directory."
