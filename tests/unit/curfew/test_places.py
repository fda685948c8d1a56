"""Where the rest of Curfew is, and what an application's modules cannot be called."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from curfew.places import TAKEN, found_instead
from tests.support.servers.server import ROOT


def python(*words: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("name", TAKEN)
def test_ours_are_found(name: str) -> None:
    assert found_instead(name) is None


@pytest.mark.parametrize("file", ["settings.py", "server/__init__.py", "handlers/__init__.py"])
def test_a_module_of_the_application_that_hides_ours_is_named(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("", "utf-8")
    ran = python("-c", "import curfew", folder=tmp_path, path=ROOT)
    last = ran.stderr.splitlines()[-1]
    assert str(tmp_path) in last
    assert "has a name that Curfew needs for its own. Rename it." in last


def test_an_installed_copy_has_one_name_at_the_top_and_works(tmp_path: Path) -> None:
    source, built, site = tmp_path / "source", tmp_path / "built", tmp_path / "site"
    source.mkdir()
    for each in ("curfew", "handlers", "server", "static", "run.py", "settings.py", "setup.py",
                 "pyproject.toml", "requirements.in"):  # fmt: skip
        (source / each).symlink_to(ROOT / each)
    build = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(built), "."]
    made = python(*build, folder=source, path=source)
    assert made.returncode == 0, made.stderr
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    tops = {each.name for each in site.iterdir()}
    assert {each for each in tops if not each.endswith(".dist-info")} == {"curfew"}
    told = python("-m", "curfew", "--help", folder=tmp_path, path=site)
    assert "sessions" in told.stdout, told.stderr
    new = python("-m", "curfew", "new", "some_huddle", "huddle", folder=tmp_path, path=site)
    assert new.returncode == 0, new.stderr
    assert "CURFEW ?= \n" in (tmp_path / "huddle" / "Makefile").read_text("utf-8")
    found = "import curfew, handlers; print(handlers.__file__, curfew.__file__)"
    where = python("-c", found, folder=tmp_path, path=site)
    assert all(each.startswith(str(site)) for each in where.stdout.split()), where.stderr
