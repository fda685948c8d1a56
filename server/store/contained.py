"""Code of an application that may do anything: whatever it raises is a failure of it, and no more.

`SystemExit` would end the process with everybody's sockets, and the next process after it. A
cancellation that nobody asked for would end what waits for the code, without a word.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class ApplicationFault(Exception):
    """Code of an application tried to end more than itself; its cause says by what."""


@contextmanager
def contained() -> Iterator[None]:
    """Run code of an application in the block.

    Raises:
        ApplicationFault: it raised `SystemExit`, or was cancelled although this task was not.
    """
    try:
        yield
    except SystemExit as left:
        raise ApplicationFault(f"it wanted to end the process: SystemExit({left.code!r})") from left
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ApplicationFault("it was cancelled, and not by what waits for it") from error
