"""The loop of a worker: uvloop's where there is one, unless the settings choose."""

import asyncio
import sys
from importlib.machinery import ModuleSpec

import pytest

from handlers.serving import loop
from handlers.serving.loop import loop_factory
from server.core.errors import ConfigurationError


def package_of(choice: str) -> str:
    """Return the package of the loop that a worker gets."""
    made = loop_factory(choice)()
    made.close()
    return type(made).__module__.partition(".")[0]


@pytest.fixture
def no_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no uvloop, as on Windows."""

    def find_spec(_name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(loop, "find_spec", find_spec)
    monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop on Windows")
@pytest.mark.parametrize(
    ("choice", "package"), [("auto", "uvloop"), ("uvloop", "uvloop"), ("asyncio", "asyncio")]
)
def test_the_settings_choose_the_loop(choice: str, package: str) -> None:
    assert package_of(choice) == package


@pytest.mark.usefixtures("no_uvloop")
@pytest.mark.parametrize("choice", ["auto", "asyncio"])
def test_without_uvloop_it_is_asyncios_own(choice: str) -> None:
    assert loop_factory(choice) is asyncio.new_event_loop


@pytest.mark.usefixtures("no_uvloop")
def test_a_loop_that_was_chosen_must_be_there() -> None:
    with pytest.raises(ConfigurationError, match="CURFEW_EVENT_LOOP"):
        loop_factory("uvloop")
