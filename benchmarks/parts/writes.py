"""Writes of a session's data, beside express-session's."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import programs
from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.load import Asked, Sample, ask, costs, speeds
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import Served, valkey

SESSIONS: Final = 64
"""Twice as many as requests are under way: none waits for another one's write."""
BODIES: Final = ('{"cart":"a lantern"}', '{"cart":"two lanterns"}')
CURFEW: Final = "Curfew"
IN_MEMORY: Final = "Curfew on a store in memory"
PEERS: Final = (programs.EXPRESS_SESSION, programs.EXPRESS_SESSION_NODE_20)
LEAST: Final = 1.5
NOTE: Final = (
    "Writes: the embedded store has a write on the disk before it answers; express-session's has "
    f"it in memory. “{IN_MEMORY}” writes to the same store as express-session."
)


def measure(plan: Plan, folder: Path) -> Result:
    """Measure PATCH of session data."""
    with ExitStack() as stack:
        store = stack.enter_context(valkey(folder / "store"))
        entries = {
            CURFEW: _curfew(Curfew(folder / "curfew"), stack),
            IN_MEMORY: _curfew(
                Curfew(folder / "memory", store_url=f"redis://127.0.0.1:{store}"), stack
            ),
        }
        for name in PEERS if plan.with_peers else ():
            peer = stack.enter_context(programs.peer(name, store, folder))
            heads = [programs.signed_in(peer).headers for _ in range(SESSIONS)]
            entries[name] = peer, Asked(heads, "PATCH", BODIES)
        taken = in_turns(plan, list(entries.values()), lambda entry: ask(*entry, plan.seconds))
    samples = dict(zip(entries, taken, strict=True))
    return Result(
        _figures(samples),
        {
            "writes per second": {label: speeds(each) for label, each in samples.items()},
            "CPU per write, us": {label: costs(each) for label, each in samples.items()},
        },
        [NOTE],
    )


def _curfew(server: Curfew, stack: ExitStack) -> tuple[Served, Asked]:
    pids = stack.enter_context(server.running())
    people = stack.enter_context(server.people()).sign_in(SESSIONS)
    asked = Asked([each.headers_to_change for each in people], "PATCH", BODIES)
    return server.served(pids, "/api/session/data"), asked


def _figures(samples: dict[str, list[Sample]]) -> list[Figure]:
    return [
        Figure(
            "PATCH of session data",
            f"req/s ≥ {LEAST} × {name}",
            LEAST,
            ratios(speeds(samples[CURFEW]), speeds(samples[name])),
            at_most=False,
        )
        for name in PEERS
        if name in samples
    ]
