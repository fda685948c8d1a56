"""Which runs of tests CI tries again, by the target that it calls: docs/decisions/0022."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.servers.server import ROOT

AGAIN = "what failed is tried once more"
ONCE = "def test_passes(): pass\n"
STARVED = """
from pathlib import Path

def test_starved():
    before = Path(__file__).with_name("before")
    assert before.exists() or before.touch()
"""
WRONG = "def test_wrong(): assert False\n"
LEAKING = """
from tests.support.secrets.leaks import SEARCH

def test_leaks():
    SEARCH.key(bytes(range(32)), "seed")
    SEARCH.wrote("a planted log", bytes(range(32)).hex(), "log")
"""
BROKEN_OFF = "def test_ends(): raise KeyboardInterrupt\n"
CRASHING = "import os\ndef test_crashes(): os._exit(1)\n"
UNREADABLE = "import nothing_of_this_name\n"


def make_test(
    folder: Path, *tests: str, once_more: str = "yes", processes: int = 0
) -> subprocess.CompletedProcess[str]:
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
        ["make", "--old-file", ".venv/.dev", "test", f"ONCE_MORE={once_more}", f"ARGS={given}"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_what_failed_once_is_tried_again_and_both_outcomes_are_told(tmp_path: Path) -> None:
    done = make_test(tmp_path, ONCE, STARVED)
    assert done.returncode == 0, done.stdout + done.stderr
    before, _, again = done.stdout.partition(AGAIN)
    assert "1 failed, 1 passed" in before
    assert "test_starved PASSED" in again
    assert "test_passes" not in again


def test_what_fails_twice_fails_the_run(tmp_path: Path) -> None:
    done = make_test(tmp_path, ONCE, WRONG)
    assert done.returncode != 0
    assert "test_wrong FAILED" in done.stdout.partition(AGAIN)[2]


@pytest.mark.parametrize(
    ("worse", "processes"), [(LEAKING, 0), (BROKEN_OFF, 0), (CRASHING, 1), (UNREADABLE, 1)]
)
def test_a_run_that_did_worse_than_fail_a_test_fails_at_once(
    tmp_path: Path, worse: str, processes: int
) -> None:
    done = make_test(tmp_path, STARVED, worse, processes=processes)
    assert done.returncode != 0
    assert AGAIN not in done.stdout


def test_nothing_is_tried_again_unless_asked(tmp_path: Path) -> None:
    done = make_test(tmp_path, ONCE, STARVED, once_more="")
    assert done.returncode != 0
    assert AGAIN not in done.stdout
