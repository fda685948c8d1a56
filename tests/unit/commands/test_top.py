"""The `top` command: what may be typed, and when there is nothing to see."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from run import command_line
from server.commands.errors import CommandFailed
from server.commands.top import _watch, show
from server.commands.top_reader import TopReader
from server.commands.top_screen import Screen
from settings import Settings, load_settings
from tests.support.running.ports import free_port
from tests.support.running.waiting import until
from tests.support.servers.server import ROOT


def test_the_time_between_readings_is_a_number_within_limits() -> None:
    assert command_line().parse_args(["top", "--every", "0.5"]).every == 0.5


@pytest.mark.parametrize("typed", ["0", "0.1", "-1", "nan", "inf", "soon", "3601"])
def test_any_other_time_is_refused(typed: str) -> None:
    with pytest.raises(SystemExit):
        command_line().parse_args(["top", "--every", typed])


def test_without_a_server_on_an_embedded_store_there_is_nothing_to_see(tmp_path: Path) -> None:
    settings = load_settings({"CURFEW_DATA_DIR": str(tmp_path)})
    for _ in range(2):
        with pytest.raises(CommandFailed, match="No server runs on the store in"):
            show(settings, every=1, metrics=None, once=True)
        (tmp_path / "valkey").mkdir(exist_ok=True)  # of a server that has stopped
    assert not (tmp_path / "server.lock").exists(), "a server that starts now must get the lock"


def test_no_server_and_no_other_command_loads_what_draws() -> None:
    program = "import run, sys; sys.exit('rich' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def looking_at(store_url: str, folder: Path) -> Settings:
    """Return the settings of somebody who looks at a store of their own."""
    return load_settings({"CURFEW_STORE_URL": store_url, "CURFEW_DATA_DIR": str(folder)})


def test_one_snapshot_is_printed_and_says_what_did_not_answer(
    store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/metrics"
    show(looking_at(store_url, tmp_path), every=0.01, metrics=[nobody], once=True)
    told = capsys.readouterr().out
    assert f"! no metrics from {nobody}" in told
    assert "sessions - " in told


def test_a_snapshot_without_the_store_is_printed_and_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = looking_at(f"unix://{tmp_path}/nothing.sock", tmp_path)
    with pytest.raises(CommandFailed, match="The snapshot is incomplete: the store does not"):
        show(gone, every=0.01, metrics=["http://127.0.0.1:1/metrics"], once=True)
    assert "! the store does not answer" in capsys.readouterr().out


async def test_a_view_is_shown_again_and_again_and_leaves_the_terminal_as_it_was(
    store_url: str, tmp_path: Path
) -> None:
    terminal = io.StringIO()
    screen = Screen(Console(file=terminal, force_terminal=True, width=100, height=40))
    assert screen.is_live
    reader = TopReader(looking_at(store_url, tmp_path), ["http://127.0.0.1:1/metrics"])

    async def has_shown_several() -> bool:
        return terminal.getvalue().count("sessions with sockets") > 2

    watching = asyncio.create_task(_watch(reader, screen, 0.01))
    await until(has_shown_several)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert terminal.getvalue().startswith("\x1b[?1049h"), "the other screen of the terminal"
    assert "\x1b[?1049l" in terminal.getvalue()
