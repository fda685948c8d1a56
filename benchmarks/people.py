"""People with sessions: made by Curfew's own services, in a process beside the server.

A sign-in by HTTP costs a password hash, and thousands of them would take minutes. A process on the
same store and with the same keys, as each of Curfew's commands is, creates the same sessions.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.running import ROOT, NotMeasurable

COOKIE: Final = "__Host-Http-curfew"


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is signed in.

    Attributes:
        sid: the session's id.
        cookie: the cookie's value.
        csrf_token: of the session.
    """

    sid: str
    cookie: str
    csrf_token: str

    @property
    def headers(self) -> dict[str, str]:
        """What the person's browser sends with a request."""
        return {"Cookie": f"{COOKIE}={self.cookie}"}

    @property
    def headers_to_change(self) -> dict[str, str]:
        """What it sends with a request that changes something."""
        return {
            **self.headers,
            "X-CSRF-Token": self.csrf_token,
            "Content-Type": "application/json",
        }


class People:
    """Talks to `benchmarks.people_process`.

    Args:
        environment: of the server.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.people_process"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sign_in(self, count: int, sessions_each: int = 1) -> list[Person]:
        """Create sessions of new people."""
        return [Person(*each) for each in self._ask("sign_in", count, sessions_each)]

    def load_seconds(self, sids: Sequence[str]) -> list[float]:
        """Load sessions, one after another; return how long each took."""
        return list(self._ask("load", sids))

    def fill(self, url: str, like: Person, count: int) -> None:
        """Fill an external store with copies of a session, each with an entry in an index."""
        self._ask("fill", url, like.sid, count)

    def begin_to_end_everything(self) -> None:
        """End all sessions; `ended_everything` returns when it began."""
        self._tell("end_everything")

    def ended_everything(self) -> float:
        """Return the moment at which the end was begun, by `time.perf_counter`."""
        return float(self._hear())

    def go(self) -> None:
        """End the process."""
        assert self._process.stdin is not None  # noqa: S101 for the type checker: it is a pipe
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, *words: Any) -> Any:
        self._tell(*words)
        return self._hear()

    def _tell(self, *words: Any) -> None:
        assert self._process.stdin is not None  # noqa: S101 for the type checker: it is a pipe
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Any:
        assert self._process.stdout is not None  # noqa: S101 for the type checker: it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise NotMeasurable("The process that creates sessions has ended; see above.")
        return json.loads(line)
