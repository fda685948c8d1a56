"""Serves an application for a test: `python -m curfew.testing.serving FOLDER huddle:application`.

It is the application itself, with a `Control` in each process, whose socket is in that folder. The
folder is no variable of the environment: what is called CURFEW_… would be a setting.
"""

import sys
from dataclasses import replace
from pathlib import Path

from curfew import Application, Task
from curfew.testing.control import Control
from handlers.serving.loading import named_application


def main() -> int:
    """Serve; return the exit status."""
    folder, name, *words = sys.argv[1:]
    found, _ = named_application(["--app", name])
    if not isinstance(found, Application):
        raise SystemExit(f"{name} is no curfew.Application")
    control = Control(Path(folder))
    tasks = [*found.tasks, Task("control of a test", control.run)]
    return replace(found, tasks=tasks).main(words)


if __name__ == "__main__":
    sys.exit(main())
