"""Lets some tests run while no other does, though several processes run tests: a pytest plugin.

Every test holds the room while it runs. Most are there together. Those that are marked `waits` are
there together too, and with nobody else: they need a machine that others do not keep busy, and
hardly use it themselves. Those that are marked `alone` have the room for themselves. Who comes in
stands at the door until the others have left, so that nobody else comes in meanwhile. The kernel
opens a lock again when its process dies.
"""

import fcntl
import tempfile
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest


class Room:
    """What the processes of a run have in common; made by each.

    Args:
        folder: the same for all of them.
    """

    def __init__(self, folder: Path) -> None:
        self._door, self._busy, self._waiting = (
            (folder / f"{name}.lock").open("w") for name in ("door", "busy", "waiting")
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until everybody has left, and let nobody in."""
        with (
            _held(self._door, fcntl.LOCK_EX),
            _held(self._busy, fcntl.LOCK_EX),
            _held(self._waiting, fcntl.LOCK_EX),
        ):
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait until only those are left who hardly compute."""
        with self._entered(self._waiting, others=self._busy):
            yield

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Wait until nobody is or wants to be in a quiet room."""
        with self._entered(self._busy, others=self._waiting):
            yield

    @contextmanager
    def _entered(self, own: IO[str], *, others: IO[str]) -> Iterator[None]:
        with _held(self._door, fcntl.LOCK_EX):
            with _held(others, fcntl.LOCK_EX):
                pass  # they have left, and come back through the door only
            fcntl.flock(own, fcntl.LOCK_SH)
        with _held(own, fcntl.LOCK_SH):
            yield

    def close(self) -> None:
        """Leave."""
        for each in (self._door, self._busy, self._waiting):
            each.close()


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
    with _place(room, item):
        return (yield)


def _place(room: Room, item: pytest.Item) -> AbstractContextManager[None]:
    if item.get_closest_marker("alone"):
        return room.alone()
    return room.waiting() if item.get_closest_marker("waits") else room.shared()
