"""Schemathesis tries the running server against its own description, with all its checks."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients.client import PASSWORD
from tests.support.servers.server import ROOT, CurfewServer

SECONDS = 240
"""A busy machine may be slow; an idle one takes twenty."""


@pytest.fixture(scope="module")
def server() -> Iterator[CurfewServer]:
    """With an administrator, who sends everything, and somebody to act upon."""
    with CurfewServer() as running:
        for arguments in (("root", "--admin"), ("ada",)):
            running.command("user", "add", *arguments, given=PASSWORD + "\n")
        yield running


@pytest.mark.proves("2.2.1", "4.1.1", "4.1.4", "16.5.1")
def test_every_answer_is_as_described_whatever_is_sent(server: CurfewServer) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--no-color",
            "--config-file",
            ROOT / "tests" / "support" / "openapi" / "schemathesis.toml",
            "run",
            f"{server.url}/openapi.json",
            "--checks",
            "all",
        ],
        env={
            **os.environ,
            "CURFEW_TEST_URL": server.url,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.support.openapi.schemathesis_hooks",
        },
        cwd=server.data_dir,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in server.log
