"""A start that fails is one line and the same exit status, for `run.py` and for applications."""

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.crypto.certificate import ensure_certificate
from tests.support.running.ports import free_port
from tests.support.running.processes import processes_of
from tests.support.servers.server import ROOT
from tests.support.servers.unprivileged import WITHOUT_PRIVILEGES
from tests.support.servers.valkey import ValkeyServer

WAITS = " curfew.store  waiting "
"""In the line of the log that says that the store is waited for."""
STARTS_WITHIN_SECONDS = 60.0
KEY = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"


@dataclass
class Scene:
    """What a start meets.

    Attributes:
        folder: the test's own.
        variables: the settings.
        privileged: whether the program may do what root may.
        files: the limit of open files, if there is one.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    privileged: bool = True
    files: int | None = None


def port_in_use(scene: Scene) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        scene.variables["CURFEW_PORT"] = str(other.getsockname()[1])
        yield


def port_for_metrics_in_use(scene: Scene) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        scene.variables["CURFEW_METRICS_PORT"] = str(other.getsockname()[1])
        yield


def port_for_metrics_is_the_port(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_METRICS_PORT"] = scene.variables["CURFEW_PORT"]
    yield


def address_of_another_machine(scene: Scene) -> Iterator[None]:
    scene.variables |= {"CURFEW_HOST": "192.0.2.1", "CURFEW_TRUSTED_PROXIES": "192.0.2.2"}
    scene.variables["CURFEW_SECRET_KEYS"] = KEY
    yield


def store_down(scene: Scene) -> Iterator[None]:
    url = f"redis://127.0.0.1:{free_port()}"
    scene.variables |= {"CURFEW_STORE_URL": url, "CURFEW_STORE_WAIT": "100ms"}
    yield


def store_that_is_none(scene: Scene) -> Iterator[None]:
    scene.variables |= {"CURFEW_STORE_URL": "redis://a..b:6379", "CURFEW_STORE_WAIT": "100ms"}
    scene.variables["CURFEW_STORE_PLAINTEXT"] = "allow"
    yield


def wrong_setting(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_IDLE_TIMEOUT"] = "soon"
    yield


def misspelt_setting(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_IDEL_TIMEOUT"] = "5m"
    yield


def base_path_that_is_an_address(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_BASE_PATH"] = "/account"
    yield


def certificate_missing(scene: Scene) -> Iterator[None]:
    missing = str(scene.folder / "none.pem")
    scene.variables |= {"CURFEW_TLS_CERT": missing, "CURFEW_TLS_KEY": missing}
    yield


def certified(scene: Scene) -> tuple[Path, Path]:
    certificate, key = scene.folder / "certificate.pem", scene.folder / "key.pem"
    ensure_certificate(certificate, key, frozenset({"localhost"}))
    scene.variables |= {"CURFEW_TLS_CERT": str(certificate), "CURFEW_TLS_KEY": str(key)}
    return certificate, key


def certificate_of_another_key(scene: Scene) -> Iterator[None]:
    _, key = certified(scene)
    (scene.folder / "other").mkdir()
    ensure_certificate(scene.folder / "other" / "c.pem", key, frozenset({"localhost"}))
    yield


def key_with_a_passphrase(scene: Scene) -> Iterator[None]:
    _, key = certified(scene)
    words = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:a long one"]
    key.write_bytes(subprocess.run(words, capture_output=True, check=True).stdout)
    yield


def data_folder_is_a_file(scene: Scene) -> Iterator[None]:
    (scene.folder / "data").touch()
    yield


def log_file_is_a_folder(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_LOG_FILE"] = str(scene.folder)
    yield


def keys_that_open_nothing(scene: Scene) -> Iterator[None]:
    with ValkeyServer() as store:
        scene.variables |= {"CURFEW_STORE_URL": store.url, "CURFEW_SECRET_KEYS": KEY}
        words = [sys.executable, "run.py", "sessions", "list"]
        environment = os.environ | scene.variables
        subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True)
        scene.variables["CURFEW_SECRET_KEYS"] = KEY[::-1].replace("0", "A")[:-1] + "4"
        yield


def store_that_drops_keys(scene: Scene) -> Iterator[None]:
    with ValkeyServer(maxmemory="50mb", maxmemory_policy="allkeys-lru") as store:
        scene.variables["CURFEW_STORE_URL"] = store.url
        yield


def too_few_files(scene: Scene) -> Iterator[None]:
    scene.files = 9
    yield


def privileged_port(scene: Scene) -> Iterator[None]:
    scene.privileged = False
    scene.variables["CURFEW_PORT"] = "81"
    yield


def data_folder_of_somebody_else(scene: Scene) -> Iterator[None]:
    (scene.folder / "data").mkdir(mode=0o500)
    scene.privileged = False
    yield


def data_folder_of_somebody_else_with_keys_elsewhere(scene: Scene) -> Iterator[None]:
    scene.variables["CURFEW_SECRET_KEYS"] = KEY
    yield from data_folder_of_somebody_else(scene)


def certificate_of_somebody_else(scene: Scene) -> Iterator[None]:
    certified(scene)[0].chmod(0)
    scene.privileged = False
    yield


def certificate_in_a_closed_folder(scene: Scene) -> Iterator[None]:
    closed = scene.folder / "closed"
    closed.mkdir(mode=0)
    files = {"CURFEW_TLS_CERT": str(closed / "c.pem"), "CURFEW_TLS_KEY": str(closed / "k.pem")}
    scene.variables |= files
    scene.privileged = False
    yield


Cause = Callable[[Scene], Iterator[None]]

CAUSES: list[tuple[Cause, int, str]] = [
    (port_in_use, os.EX_CONFIG, r"CURFEW_PORT \d+ on .* cannot be used: Address already in use"),
    (port_for_metrics_in_use, os.EX_CONFIG, r"CURFEW_METRICS_PORT \d+ on .* cannot be used: Addr"),
    (port_for_metrics_is_the_port, os.EX_CONFIG, r"CURFEW_PORT \d+ on .*: CURFEW_METRICS_PORT is"),
    (address_of_another_machine, os.EX_CONFIG, "CURFEW_HOST 192.0.2.1 cannot be used: Cannot ass"),
    (store_down, 1, "The store at 127.0.0.1:"),
    (store_that_is_none, 1, "The store at a..b:6379"),
    (wrong_setting, os.EX_CONFIG, "CURFEW_IDLE_TIMEOUT is 'soon'; it takes"),
    (misspelt_setting, os.EX_CONFIG, "no setting CURFEW_IDEL_TIMEOUT; the nearest one is CURFEW_I"),
    (base_path_that_is_an_address, os.EX_CONFIG, "CURFEW_BASE_PATH is '/account', but /account is"),
    (certificate_missing, os.EX_CONFIG, "CURFEW_TLS_KEY is '.*/none.pem'; it takes"),
    (certificate_of_another_key, os.EX_CONFIG, "CURFEW_TLS_CERT and CURFEW_TLS_KEY are no cert"),
    (key_with_a_passphrase, os.EX_CONFIG, "CURFEW_TLS_KEY: .*/key.pem is protected by a passphr"),
    (data_folder_is_a_file, os.EX_CONFIG, "CURFEW_DATA_DIR: .* cannot be used"),
    (log_file_is_a_folder, os.EX_CONFIG, "CURFEW_LOG_FILE: .*: Is a directory"),
    (keys_that_open_nothing, os.EX_CONFIG, "The secret keys do not fit the store"),
    (store_that_drops_keys, os.EX_CONFIG, "maxmemory-policy is allkeys-lru"),
    (too_few_files, 1, "Too many open files"),
    (privileged_port, os.EX_CONFIG, "CURFEW_PORT 81 on .* cannot be used: Permission denied"),
    (data_folder_of_somebody_else, os.EX_CONFIG, "CURFEW_DATA_DIR: .* cannot be used: Permission"),
    (data_folder_of_somebody_else_with_keys_elsewhere, os.EX_CONFIG,
     "CURFEW_DATA_DIR: .* cannot be used: Permission denied"),
    (certificate_of_somebody_else, os.EX_CONFIG, "CURFEW_TLS_CERT: .*: Permission denied"),
    (certificate_in_a_closed_folder, os.EX_CONFIG, "CURFEW_TLS_KEY .*: Permission denied"),
]  # fmt: skip


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A scene without settings but the port and the data folder."""
    folder = Path(tempfile.mkdtemp(prefix="curfew-start-"))
    data = str(folder / "data")
    yield Scene(folder, {"CURFEW_DATA_DIR": data, "CURFEW_PORT": str(free_port())})
    assert processes_of(folder) == []
    shutil.rmtree(folder)


@pytest.mark.parametrize("program", [["run.py"], ["-m", "examples.notes"]], ids=" ".join)
@pytest.mark.parametrize(("cause", "status", "line"), CAUSES, ids=lambda each: getattr(
    each, "__name__", ""))  # fmt: skip
def test_a_start_that_fails_is_one_line_with_its_exit_status(
    scene: Scene, program: list[str], cause: Cause, status: int, line: str
) -> None:
    with contextmanager(cause)(scene):
        ended = start(program, scene)
    assert "Traceback" not in ended.stderr
    told = [each for each in ended.stderr.splitlines() if WAITS not in each]
    assert re.search(line, told[0])
    assert (ended.returncode, len(told)) == (status, 1)


def start(program: list[str], scene: Scene) -> "subprocess.CompletedProcess[str]":
    """Run the program until it ends, which it does soon."""

    def limit() -> None:
        if scene.files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (scene.files, scene.files))

    before = () if scene.privileged or os.geteuid() else WITHOUT_PRIVILEGES
    return subprocess.run(
        [*before, sys.executable, *program],
        cwd=ROOT,
        env=os.environ | scene.variables,
        preexec_fn=limit if scene.files else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=STARTS_WITHIN_SECONDS,
    )
