"""Every folder of tests is fast, slow or big: which target of make runs it is written down."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.running.on_clusters import STAYING_OUT
from tests.support.servers.server import ROOT

MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")


def named(variable: str) -> list[str]:
    """Return the folders in a variable of the Makefile."""
    (words,) = re.findall(rf"^{variable} := (.*)$", MAKEFILE, re.MULTILINE)
    return str(words).split()


def folders() -> set[str]:
    """Return all folders of tests."""
    files = [*ROOT.glob("tests/*/**/test_*.py"), *ROOT.glob("tests/*/**/*.test.mjs")]
    return {Path(*path.relative_to(ROOT).parts[:2]).as_posix() for path in files} - NO_TESTS


NO_TESTS: Final = {"tests/node"}
"""Packages, which may have tests of their own."""


def test_every_folder_of_tests_is_fast_or_slow() -> None:
    assert sorted(named("FAST") + named("SLOW") + named("BIG")) == sorted(folders())


@pytest.mark.parametrize("name", [each for files in STAYING_OUT.values() for each in files])
def test_what_stays_out_of_clusters_is_there_and_would_run_on_them(name: str) -> None:
    file, _, rest = f"tests/{name}".partition("::")
    assert (ROOT / file).is_file()
    assert rest in (ROOT / file).read_text(encoding="utf-8")
    assert Path(file).parent.as_posix() in named("ON_CLUSTERS")


def test_coverage_is_measured_over_tests_that_are_there() -> None:
    assert all((ROOT / each).is_dir() for each in named("COVERING") if "%" not in each)
    for name in named("PROCESSES"):
        assert (ROOT / "tests" / "integration" / f"test_{name}.py").is_file()
