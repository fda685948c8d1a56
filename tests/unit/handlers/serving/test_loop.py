"""The loop of a worker: uvloop's where there is one, asyncio's elsewhere."""

import asyncio
import sys

import pytest

from handlers.serving import loop


def run() -> str:
    """Run something in a worker's loop; return the package of the loop."""
    packages = list[str]()

    async def look() -> None:
        packages.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    loop.run(look())
    (package,) = packages
    return package


def test_a_worker_runs_in_uvloop_where_it_is_installed() -> None:
    pytest.importorskip("uvloop", reason="there is none on Windows")
    assert run() == "uvloop"


def test_a_worker_runs_in_asyncios_loop_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run() == "asyncio"


def test_a_failure_of_a_worker_is_its_callers() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.run(fail())
