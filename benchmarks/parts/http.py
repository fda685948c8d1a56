"""Requests with a session, beside the peers: how many in a second, and what each costs."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import programs
from benchmarks.curfew import QUIET, Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.load import CONNECTIONS, Asked, Sample, ask, costs, speeds
from benchmarks.people import Person
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import NotMeasurable, Served, valkey

CURFEW: Final = "Curfew"
QUIETLY: Final = "Curfew without access log"
LOADING: Final = "Curfew, every session loaded"
BARE_LOADING: Final = "Tornado bare, as many cookies"
WITH_PEERS: Final = (
    programs.TORNADO,
    programs.TORNADO_SESSION,
    programs.EXPRESS,
    programs.EXPRESS_SESSION,
    programs.EXPRESS_NODE_20,
    programs.EXPRESS_SESSION_NODE_20,
    programs.AIOHTTP,
    programs.AIOHTTP_SESSION,
    programs.STARLETTE,
    programs.STARSESSIONS,
    programs.CRUDAUTH,
)
WITHOUT_INSTALLATION: Final = (programs.TORNADO, programs.TORNADO_SESSION)
SHARE: Final = 1.7
"""Of a part's usual time: it measures three times as many programs as the others."""
NO_CACHE: Final = (
    "Curfew keeps no sessions in memory: one that is known to the node is loaded for each request, "
    "too. Requests of one turn of the event loop share a load."
)
LOGS: Final = (
    "Curfew writes its access log to a file; the peers log nothing. No setting turns the log off: "
    "for that row, `benchmarks/inside/quiet_run.py` raises the level of its logger."
)


@dataclass(frozen=True, slots=True)
class _Entry:
    label: str
    served: Served
    asked: Asked


def measure(plan: Plan, folder: Path) -> Result:
    """Measure the rows of authenticated GET."""
    with ExitStack() as stack:
        entries = _entries(plan, folder, stack)
        taken = in_turns(
            plan,
            entries,
            lambda entry: ask(entry.served, entry.asked, plan.seconds),
            share=SHARE,
        )
    samples = {entry.label: each for entry, each in zip(entries, taken, strict=True)}
    series = {
        "requests per second": {label: speeds(each) for label, each in samples.items()},
        "CPU per request, us": {label: costs(each) for label, each in samples.items()},
    }
    return Result(_figures(samples), series, _notes(samples))


def _entries(plan: Plan, folder: Path, stack: ExitStack) -> list[_Entry]:
    store = stack.enter_context(valkey(folder / "store"))
    names = WITH_PEERS if plan.with_peers else WITHOUT_INSTALLATION
    peers = [each for name in names if (each := _peer(name, store, folder, stack))]
    cookies = [{"Cookie": f"sid={number:0200d}"} for number in range(plan.sessions)]
    default = _curfew(Curfew(folder / "curfew"), plan.sessions, stack)
    quiet = _curfew(Curfew(folder / "quiet", script=QUIET), 1, stack)
    return [
        *(_Entry(each.name, each, Asked(_heads(each))) for each in peers),
        _Entry(BARE_LOADING, peers[0], Asked(cookies)),
        _Entry(CURFEW, default[0], Asked([default[1][0].headers])),
        _Entry(QUIETLY, quiet[0], Asked([quiet[1][0].headers])),
        _Entry(LOADING, default[0], Asked([each.headers for each in default[1]])),
    ]


def _heads(peer: Served) -> list[Mapping[str, str]]:
    """Return the cookies to ask with: one, as for Curfew.

    crudauth writes the record at each request, and repeats that when another request was first. So
    it gets as many sessions as requests are under way.
    """
    if peer.name != programs.CRUDAUTH:
        return [peer.headers]
    return [programs.signed_in(replace(peer, headers={})).headers for _ in range(2 * CONNECTIONS)]


def _peer(name: str, store: int, folder: Path, stack: ExitStack) -> Served | None:
    """Run a peer; go on without it if it does not start, unless all ratios need it."""
    try:
        return programs.signed_in(stack.enter_context(programs.peer(name, store, folder)))
    except NotMeasurable as problem:
        if name == programs.TORNADO:
            raise
        print(f"Without {name}: {problem}")
        return None


def _curfew(server: Curfew, sessions: int, stack: ExitStack) -> tuple[Served, list[Person]]:
    pids = stack.enter_context(server.running())
    people = stack.enter_context(server.people())
    return server.served(pids), people.sign_in(sessions)


def _figures(samples: dict[str, list[Sample]]) -> list[Figure]:
    get = "authenticated GET, session known to the node"
    figures = [
        _cpu_figure(get, 0.80, samples[CURFEW], samples[programs.TORNADO]),
        _cpu_figure(f"{get}, log off", 0.72, samples[QUIETLY], samples[programs.TORNADO]),
        _cpu_figure(
            f"authenticated GET, every session loaded from the store, {CONNECTIONS} in flight",
            1.00,
            samples[LOADING],
            samples[BARE_LOADING],
        ),
    ]
    for what, label, peer, least in (
        (get, CURFEW, programs.AIOHTTP_SESSION, 1.0),
        (get, CURFEW, programs.EXPRESS_SESSION, 1.8),
        (get, CURFEW, programs.EXPRESS_SESSION_NODE_20, 1.8),
        (f"{get}, log off", QUIETLY, programs.AIOHTTP_SESSION, 1.1),
    ):
        if peer in samples:
            ratio = ratios(speeds(samples[label]), speeds(samples[peer]))
            target = f"req/s ≥ {least} × {peer}"
            figures.append(Figure(what, target, least, ratio, at_most=False))
    return figures


def _cpu_figure(what: str, most: float, curfew: Sequence[Sample], bare: Sequence[Sample]) -> Figure:
    target = f"CPU ≤ {most:.2f} × {programs.TORNADO}"
    return Figure(what, target, most, ratios(costs(curfew), costs(bare)))


def _notes(samples: dict[str, list[Sample]]) -> list[str]:
    """Say what a system of sessions adds to its own framework without sessions."""
    notes = [NO_CACHE, LOGS]
    for name, bare in programs.BARE.items():
        if name in samples:
            tax = median(costs(samples[name])) - median(costs(samples[bare]))
            notes.append(f"{name}: {tax:.0f} us of CPU per request over {bare}.")
    tax = median(costs(samples[CURFEW])) - median(costs(samples[programs.TORNADO]))
    notes.append(f"{CURFEW}: {tax:.0f} us of CPU per request over {programs.TORNADO}.")
    return notes
