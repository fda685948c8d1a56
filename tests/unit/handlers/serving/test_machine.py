"""What an application does once per machine runs in a process of its own, and never for long."""

import asyncio
import os
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.http.additions import Additions
from handlers.http.node import Node
from handlers.http.tasks import Tasks
from handlers.serving import machine
from handlers.serving.machine import MachineHooks
from server.core.errors import ConfigurationError
from settings import Settings

SETTINGS = cast("Settings", None)


@pytest.fixture(autouse=True)
def services(monkeypatch: pytest.MonkeyPatch) -> None:
    """No store: only the hooks are looked at."""

    @asynccontextmanager
    async def opened(*_: object, **__: object) -> Any:
        yield None

    def node(*_: object, **__: object) -> Any:
        return SimpleNamespace(tasks=Tasks(), settings=None)

    monkeypatch.setattr(machine, "open_services", opened)
    monkeypatch.setattr(machine, "Node", node)
    monkeypatch.setattr(machine, "EXTRA_SECONDS", 0.3)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Where hooks write."""
    return tmp_path / "note"


def test_each_runs_once_and_not_in_this_process(note: Path) -> None:
    async def start(_: Node) -> None:
        await asyncio.to_thread(note.write_text, f"start {os.getpid()} ")

    async def stop(_: Node) -> None:
        await asyncio.to_thread(lambda: note.write_text(note.read_text() + "stop"))

    hooks = MachineHooks(Additions(machine_start=start, machine_stop=stop), SETTINGS)
    hooks.stop()  # nothing was started, so nothing is stopped
    assert not note.exists()
    hooks.start()
    hooks.stop()
    first, pid, last = note.read_text().split()
    assert (first, last) == ("start", "stop")
    assert int(pid) != os.getpid()


@pytest.mark.parametrize("raised", [RuntimeError("no"), ConfigurationError("The schema is old.")])
def test_a_start_that_fails_is_told(raised: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    async def start(_: Node) -> None:
        raise raised

    with pytest.raises(ConfigurationError, match="The machine's start of the application failed"):
        MachineHooks(Additions(machine_start=start), SETTINGS).start()
    assert str(raised) in capfd.readouterr().err


def test_one_that_never_returns_is_killed_even_if_it_blocks() -> None:
    async def start(_: Node) -> None:
        time.sleep(60)  # noqa: ASYNC251 - this is what it is about

    added = Additions(machine_start=start, start_limit=timedelta(seconds=0.1))
    with pytest.raises(ConfigurationError, match=r"took longer than 0.1 s"):
        MachineHooks(added, SETTINGS).start()


def test_a_stop_that_fails_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def stop(_: Node) -> None:
        raise RuntimeError

    hooks = MachineHooks(Additions(machine_stop=stop), SETTINGS)
    hooks.start()
    hooks.stop()
    assert "The machine's stop of the application failed" in caplog.text
