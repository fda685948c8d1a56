"""`run.py` with a note of what it does: a look at its stack every few milliseconds of CPU time.

What a function in C takes counts for the Python function that called it.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from benchmarks.inside.worker import run_watched
from benchmarks.running import ROOT

EVERY: Final = 0.001
"""Seconds of CPU time; the kernel rounds up to its own tick."""
PARTS: Final = (
    (
        "access log",
        (
            "/logging/",
            "server/telemetry/log_",
            "server/telemetry/line_log",
            "application.py:log_request",
        ),
    ),
    ("audit and metrics", ("server/telemetry/", "/prometheus_client/")),
    (
        "security headers",
        ("handlers/http/headers.py", "base.py:set_default_headers", "base.py:clear"),
    ),
    (
        "cookie",
        (
            "handlers/http/cookie.py",
            "handlers/http/presented_cookies.py",
            "/hmac.py",
            "web.py:decode_signed_value",
        ),
    ),
    (
        "record: open and read",
        ("server/crypto/", "server/store/codec.py", "documents.py", "/nacl/"),
    ),
    ("store's client", ("/redis/", "/hiredis/", "server/store/")),
    ("verdict on the session", ("server/sessions/", "server/core/", "server/realtime/")),
    ("checks of the request", ("handlers/http/",)),
    ("the answer", ("handlers/api/", "handlers/pages/")),
    ("HTTP: read and write", ("handlers/front/", "/httptools/", "tornado/iostream")),
    ("Tornado", ("/tornado/",)),
    ("event loop", ("/asyncio/", "/selectors.py", "/uvloop/")),
)
"""What a function belongs to, by the innermost frame of the stack that is listed; first fit."""
OTHER: Final = "the rest"


@contextmanager
def samples() -> Iterator[list[tuple[float, str]]]:
    """Note the parts in which this process is found, and when, by `time.perf_counter`."""
    found: list[tuple[float, str]] = []

    def look(_signum: int, frame: FrameType | None) -> None:
        found.append((time.perf_counter(), part_of(frame)))

    signal.signal(signal.SIGPROF, look)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        yield found
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def part_of(frame: FrameType | None) -> str:
    """Return the part that a stack belongs to."""
    while frame is not None:
        code = frame.f_code
        where = f"{code.co_filename}:{code.co_name}".removeprefix(f"{ROOT}/")
        for part, words in PARTS:
            if any(word in where for word in words):
                return part
        frame = frame.f_back
    return OTHER


if __name__ == "__main__":
    run_watched(samples)
