"""What a reload takes over, and what it leaves as it was."""

import ssl
from pathlib import Path

import pytest

from handlers.serving.reloading import KEPT, ParentReload, WorkerReload
from server.crypto.keyring import Keyring, parse_secret
from server.processes.board import Board, ParentLink
from server.telemetry.log_format import ConsoleFormatter
from server.telemetry.log_handler import LogHandler
from settings import Settings, load_settings
from tests.support.engine.keys import key, text_of
from tests.support.servers.store_tls import Authority

OLD, NEW = text_of(key("old")), text_of(key("new"))


class Files:
    """The files that a running server may find changed."""

    def __init__(self, folder: Path) -> None:
        self.log, self.keys = folder / "curfew.log", folder / "keys"
        self.certificate, self.key = Authority(folder).certify("DNS:localhost")
        self.keys.touch(mode=0o600)
        self.write_keys(OLD)
        self.settings: Settings = load_settings(
            {
                "CURFEW_DATA_DIR": str(folder),
                "CURFEW_SECRET_KEYS_FILE": str(self.keys),
                "CURFEW_TLS_CERT": str(self.certificate),
                "CURFEW_TLS_KEY": str(self.key),
            }
        )

    def write_keys(self, *keys: str) -> None:
        """Replace the keys."""
        self.keys.write_text("".join(f"{each}\n" for each in keys), "ascii")


def secrets(*texts: str) -> tuple[bytes, ...]:
    return tuple(map(parse_secret, texts))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def handler(files: Files) -> LogHandler:
    return LogHandler(ConsoleFormatter(), files.log)


class Worker:
    """A worker of a parent that asks as the test does."""

    def __init__(self, files: Files, handler: LogHandler) -> None:
        self.board = Board(1)
        self.keyring = Keyring.from_secrets(files.settings.secret_keys)
        self.served: list[ssl.SSLContext] = []
        self.reload = WorkerReload(
            files.settings,
            ParentLink(-1, self.board, 0),
            handler,
            self.keyring,
            self.served.append,
        )

    def asked(self, step: int) -> bool:
        """Ask for a step, and return whether the worker notes that it has taken it."""
        self.board.ask(step)
        self.reload.advance()
        return self.board.noted(0) == step


@pytest.fixture
def worker(files: Files, handler: LogHandler) -> Worker:
    return Worker(files, handler)


def versions(*texts: str) -> tuple[int, ...]:
    return Keyring.from_secrets(secrets(*texts)).versions


def test_a_worker_reads_with_new_keys_before_it_writes_with_them(
    worker: Worker, files: Files
) -> None:
    files.write_keys(NEW, OLD)
    assert worker.asked(1)
    assert worker.keyring.versions == versions(OLD, NEW)
    assert worker.asked(2)
    assert worker.keyring.versions == versions(NEW, OLD)
    files.write_keys(NEW)
    assert worker.asked(3)
    assert worker.keyring.versions == versions(NEW, OLD)
    assert worker.asked(4)
    assert worker.keyring.versions == versions(NEW)


def test_a_worker_commits_what_it_prepared_whatever_the_file_says_by_then(
    worker: Worker, files: Files
) -> None:
    files.write_keys(NEW, OLD)
    worker.asked(1)
    files.write_keys("weak")
    assert worker.asked(2)
    assert worker.keyring.versions == versions(NEW, OLD)


@pytest.mark.parametrize("keys", [(NEW,), ("weak",), ()])
def test_a_worker_that_cannot_use_the_keys_says_so_once_and_is_waited_for(
    worker: Worker, files: Files, caplog: pytest.LogCaptureFixture, keys: tuple[str, ...]
) -> None:
    files.write_keys(*keys)
    assert not worker.asked(1)
    assert not worker.asked(1)
    assert worker.keyring.versions == versions(OLD)
    assert caplog.text.count(KEPT.partition(":")[0]) == 1
    assert all(each not in caplog.text for each in (OLD, NEW, "weak"))


def test_each_step_is_taken_once(worker: Worker) -> None:
    assert worker.asked(1)
    worker.reload.advance()
    assert len(worker.served) == 1


def test_a_certificate_without_its_key_is_not_served(
    worker: Worker, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    files.key.write_text("no key", "ascii")
    assert worker.asked(1)
    assert worker.served == []
    assert "no certificate with its key" in caplog.text


def test_a_worker_with_keys_in_a_variable_takes_every_step(
    tmp_path: Path, files: Files, handler: LogHandler
) -> None:
    files.settings = load_settings({"CURFEW_SECRET_KEYS": OLD, "CURFEW_DATA_DIR": str(tmp_path)})
    worker = Worker(files, handler)
    assert worker.asked(1)
    assert worker.keyring.versions == versions(OLD)


def test_later_workers_of_the_parent_start_with_what_the_others_have(
    files: Files, handler: LogHandler
) -> None:
    parent = ParentReload(files.settings, handler)
    files.write_keys(NEW, OLD)
    assert parent.prepare()
    assert parent.settings.secret_keys == secrets(OLD, NEW)
    parent.commit()
    assert parent.settings.secret_keys == secrets(NEW, OLD)


def test_a_parent_that_cannot_use_the_keys_has_nothing_to_commit(
    files: Files, handler: LogHandler
) -> None:
    parent = ParentReload(files.settings, handler)
    files.write_keys(NEW)
    assert not parent.prepare()
    assert parent.settings == files.settings
