"""What a failed test costs a run: it fails, and nothing is tried again (docs/decisions/0031)."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.servers.server import ROOT

ONCE = "def test_passes(): pass\n"
STARVED = """
from pathlib import Path

def test_starved():
    before = Path(__file__).with_name("before")
    assert before.exists() or before.touch()
"""
LEAKING = """
from tests.support.secrets.leaks import SEARCH

def test_leaks():
    SEARCH.key(bytes(range(32)), "seed")
    SEARCH.wrote("a planted log", bytes(range(32)).hex(), "log")
"""
BROKEN_OFF = "def test_ends(): raise KeyboardInterrupt\n"
CRASHING = "import os\ndef test_crashes(): os._exit(1)\n"
UNREADABLE = "import nothing_of_this_name\n"


def make_test(folder: Path, *tests: str, processes: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `make test` on these files of tests."""
    for number, text in enumerate(tests):
        (folder / f"test_{number}.py").write_text(text)
    plugins = "-p tests.support.running.alone -p tests.support.secrets.search_at_end"
    given = f"-n{processes} -c {ROOT / 'pyproject.toml'} --rootdir {folder} {plugins} {folder}"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "--old-file", ".venv/.dev", "test", f"ARGS={given}"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_what_would_pass_at_a_second_try_fails_the_run(tmp_path: Path) -> None:
    done = make_test(tmp_path, ONCE, STARVED)
    assert done.returncode != 0
    assert done.stdout.count("1 failed, 1 passed") == 1


@pytest.mark.parametrize(
    ("worse", "processes"), [(LEAKING, 0), (BROKEN_OFF, 0), (CRASHING, 1), (UNREADABLE, 1)]
)
def test_a_run_that_did_worse_than_fail_a_test_fails(
    tmp_path: Path, worse: str, processes: int
) -> None:
    assert make_test(tmp_path, ONCE, worse, processes=processes).returncode != 0
    (tmp_path / "test_1.py").unlink()
    assert make_test(tmp_path, ONCE, processes=processes).returncode == 0
