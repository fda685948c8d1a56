"""Lets some tests run while no other does, though several processes run tests: a pytest plugin.

Every test holds the room while it runs: most together with others, those that are marked `alone`
for themselves. Who waits to be alone stands at the door, so that nobody else comes in meanwhile.
The kernel opens a lock again when its process dies.
"""

import fcntl
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest


class Room:
    """What the processes of a run have in common; made by each.

    Args:
        folder: the same for all of them.
    """

    def __init__(self, folder: Path) -> None:
        self._door = (folder / "door.lock").open("w")
        self._room = (folder / "room.lock").open("w")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until everybody has left, and let nobody in."""
        with _held(self._door, fcntl.LOCK_EX), _held(self._room, fcntl.LOCK_EX):
            yield

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Wait until nobody is or wants to be alone."""
        with _held(self._door, fcntl.LOCK_EX):
            fcntl.flock(self._room, fcntl.LOCK_SH)
        with _held(self._room, fcntl.LOCK_SH):
            yield

    def close(self) -> None:
        """Leave."""
        self._door.close()
        self._room.close()


@contextmanager
def _held(file: IO[str], how: int) -> Iterator[None]:
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


_folder = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_room = pytest.StashKey[Room]()


def pytest_configure(config: pytest.Config) -> None:
    """Find the room that whoever began the run has made."""
    if hasattr(config, "workerinput"):
        config.stash[_room] = Room(Path(config.workerinput["room"]))
    else:
        config.stash[_folder] = tempfile.TemporaryDirectory(prefix="curfew-tests-")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process where the room is."""
    node.workerinput["room"] = node.config.stash[_folder].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave it, or take it away."""
    if room := config.stash.get(_room, None):
        room.close()
    if folder := config.stash.get(_folder, None):
        folder.cleanup()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, with its fixtures, in the room."""
    room = item.config.stash.get(_room, None)
    if room is None:
        return (yield)
    is_alone = item.get_closest_marker("alone") is not None
    with room.alone() if is_alone else room.shared():
        return (yield)
