"""Runs of pytest within a test: how whole runs end."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.servers.server import ROOT


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder as a run of its own, with the plugins of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    plugins = (
        "tests.support.running.alone",
        "tests.support.running.limits",
        "tests.support.running.slowest",
        "tests.support.secrets.search_at_end",
    )
    named = [word for plugin in plugins for word in ("-p", plugin)]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            ROOT / "pyproject.toml",
            *named,
            "--rootdir",
            folder,
            *arguments,
            folder,
        ],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
