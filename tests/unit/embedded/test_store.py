"""The embedded store before it is started; its life is for the integration test."""

import socket
import threading
from pathlib import Path

import pytest
from redis import ConnectionPool

from server.embedded.guard import KILL_AFTER_SECONDS, LOCK_SECONDS
from server.embedded.store import (
    START_SECONDS,
    STOP_SECONDS,
    EmbeddedStore,
    StoreStartFailed,
    _probe,
    _Readiness,
    socket_path,
    store_url,
)
from server.store.acl import USER


def test_the_address_leads_a_client_to_the_socket(tmp_path: Path) -> None:
    data_dir = tmp_path / "a b?c#d%e é"
    known = ConnectionPool.from_url(store_url(data_dir)).connection_kwargs
    assert known["path"] == str(socket_path(data_dir))
    assert (known["username"], known["password"]) == (USER, USER)


def test_a_failed_start_says_why_and_where_to_find_more() -> None:
    failure = StoreStartFailed(Path("/srv/data"), "its guard gave up")
    assert str(failure) == (
        "the embedded store did not start: its guard gave up; see /srv/data/valkey/valkey.log"
    )


def test_a_store_that_was_not_started_has_no_process_to_stop(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    assert store.pid is None
    assert not store.exited(1)
    store.abandon()
    store.stop()
    assert list(tmp_path.iterdir()) == []


def test_each_part_waits_longer_than_the_one_that_it_waits_for() -> None:
    assert KILL_AFTER_SECONDS < LOCK_SECONDS < START_SECONDS
    assert KILL_AFTER_SECONDS < STOP_SECONDS


@pytest.mark.parametrize(
    ("answer", "readiness"),
    [
        (b"+PONG\r\n", _Readiness.READY),
        (b"-LOADING Valkey is loading the dataset in memory\r\n", _Readiness.LOADING),
        (b"-NOAUTH Authentication required.\r\n", _Readiness.SILENT),
        (b"", _Readiness.SILENT),
    ],
)
def test_only_a_store_with_its_data_is_ready(
    tmp_path: Path, answer: bytes, readiness: _Readiness
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "store.sock"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert _probe(tmp_path / "store.sock") is readiness
        server.join()


def test_where_nobody_listens_nothing_is_ready(tmp_path: Path) -> None:
    assert _probe(tmp_path / "nothing.sock") is _Readiness.SILENT
