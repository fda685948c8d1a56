"""Runs a server that can note which files of ours run.

`GET /noting?begin=own` begins to note what runs for requests, and `GET /noting?begin=all` also what
the tasks run that the server has had since its start. The next `GET /noting` ends it, and answers
with the files.
"""

import asyncio
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tornado.web import RequestHandler, url

import run

ROOT = Path(run.__file__).parent
OURS = tuple(str(ROOT / name) for name in ("handlers/", "server/", "run.py", "settings.py"))
noted: set[CodeType] = set()
left_out: set["asyncio.Task[Any]"] = set()


def note(frame: FrameType, event: str, _argument: Any) -> None:
    """Note a function that begins to run, or runs on."""
    if event == "call" and frame.f_code.co_filename.startswith(OURS):
        try:
            task = asyncio.current_task()
        except RuntimeError:  # in a thread without a loop
            task = None
        if task is None or task not in left_out:
            noted.add(frame.f_code)


def background() -> set["asyncio.Task[Any]"]:
    """Return the tasks of our own that run now."""
    codes = {task: getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks()}
    return {task for task, code in codes.items() if code and code.co_filename.startswith(OURS)}


class Noting(RequestHandler):
    """Serve `GET /noting`."""

    def get(self) -> None:
        """End what was begun; begin anew if asked to."""
        sys.setprofile(None)
        files = {code.co_filename for code in noted if code.co_name != "<module>"}
        self.finish({"files": sorted(str(Path(file).relative_to(ROOT)) for file in files)})
        noted.clear()
        left_out.clear()
        if begin := self.get_argument("begin", ""):
            left_out.update(background() if begin == "own" else ())
            sys.setprofile(note)


if __name__ == "__main__":
    threading.setprofile(note)  # for the threads that hash passwords, whenever they begin
    sys.exit(run.serve([url(r"/noting", Noting)]))
