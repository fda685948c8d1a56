"""Does something in a worker process as long as it serves, and writes down what it noted."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from handlers.serving import process
from run import main

FOLDER: Final = "CURFEW_BENCH_NOTES"
"""Names the folder for the notes: one file for each worker, written when it ends."""

Watch = Callable[[], AbstractContextManager[Any]]
"""Watches as long as its context is entered; what it yields can be written as JSON."""


def run_watched(watch: Watch) -> None:
    """Serve as `run.py` does, but watched."""
    serve: Callable[..., Any] = process.serve

    async def watched(*arguments: Any, **named: Any) -> None:
        with _written(watch):
            await serve(*arguments, **named)

    process.serve = watched
    sys.exit(main())


@contextmanager
def _written(watch: Watch) -> Iterator[None]:
    with watch() as notes:
        yield
    folder = os.environ.get(FOLDER, "")
    (Path(folder) / f"{os.getpid()}.json").write_text(json.dumps(notes), encoding="utf-8")


def read_notes(folder: Path) -> list[Any]:
    """Return the notes of the workers that have ended."""
    return [json.loads(each.read_text(encoding="utf-8")) for each in folder.glob("*.json")]
