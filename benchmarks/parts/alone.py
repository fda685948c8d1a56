"""One person alone: a request, a sign-in, and a start of the program."""

import json
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from nacl.pwhash import argon2id

from benchmarks import programs
from benchmarks.client import Client
from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.load import request
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import valkey
from server.crypto.passwords import INTERACTIVE

NAME: Final = "somebody"
PASSWORD: Final = "a quiet lantern over the harbour"  # noqa: S105 of a person in a temporary store
CURFEW: Final = "Curfew"
HEALTHZ: Final = "Curfew, /healthz"
MOST_GET: Final = 1.3
MOST_SIGN_IN_MS: Final = 3.0
MOST_START_SECONDS: Final = 1.5


def measure(plan: Plan, folder: Path) -> Result:
    """Measure requests one at a time, sign-ins and starts."""
    with ExitStack() as stack:
        server = Curfew(folder / "curfew")
        server.command("user", "add", NAME, given=PASSWORD)
        stack.enter_context(server.running())
        get = _get(plan, folder, server, stack)
        sign_in = _sign_in(plan, server, stack)
    starts = [server.start_seconds() for _ in range(plan.rounds)]
    figures = [
        Figure(
            "one request at a time, authenticated GET, wall",
            f"≤ {MOST_GET} × {programs.TORNADO_SESSION}",
            MOST_GET,
            ratios(get[CURFEW], get[programs.TORNADO_SESSION]),
        ),
        Figure(
            "sign-in besides the password hash, p50",
            f"≤ {MOST_SIGN_IN_MS:.0f} ms",
            MOST_SIGN_IN_MS,
            sign_in,
            unit="ms",
        ),
        Figure(
            "second start until `/readyz` says yes",
            f"≤ {MOST_START_SECONDS} s",
            MOST_START_SECONDS,
            starts,
            unit="s",
        ),
    ]
    return Result(figures, {"one request at a time, median, ms": get})


def _get(plan: Plan, folder: Path, server: Curfew, stack: ExitStack) -> dict[str, list[float]]:
    """Return the median of each round, in ms, by program."""
    store = stack.enter_context(valkey(folder / "store"))
    peer = programs.signed_in(
        stack.enter_context(programs.peer(programs.TORNADO_SESSION, store, folder))
    )
    person = stack.enter_context(server.people()).sign_in(1)[0]
    asked = {
        CURFEW: (server.port, request(server.port, "/api/session", person.headers)),
        HEALTHZ: (server.port, request(server.port, "/healthz", {})),
        peer.name: (peer.port, request(peer.port, peer.path, peer.headers)),
    }
    clients = {
        label: partial(stack.enter_context(Client(port)).ask, text.encode())
        for label, (port, text) in asked.items()
    }
    taken = in_turns(
        plan,
        list(clients.values()),
        lambda ask: 1e3 * median(ask() for _ in range(plan.requests)),
    )
    return dict(zip(clients, taken, strict=True))


def _sign_in(plan: Plan, server: Curfew, stack: ExitStack) -> list[float]:
    """Return what a sign-in takes besides its password hash: the median of each round, in ms."""
    body = json.dumps({"username": NAME, "password": PASSWORD})
    text = request(server.port, "/api/login", {}, method="POST", body=body).encode()
    client = stack.enter_context(Client(server.port))
    stored = argon2id.str(PASSWORD.encode(), INTERACTIVE.passes, INTERACTIVE.memory_bytes)

    def one() -> float:
        began = time.perf_counter()
        argon2id.verify(stored, PASSWORD.encode())
        hashed = time.perf_counter() - began
        return client.ask(text) - hashed

    one()
    return [1e3 * median(one() for _ in range(plan.sign_ins)) for _ in range(plan.rounds)]
