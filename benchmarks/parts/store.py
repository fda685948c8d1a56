"""A session in the store: how much room it takes, and whether many others slow its loading down."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from redis import Redis

from benchmarks.curfew import Curfew
from benchmarks.figures import Figure, Result, ratios
from benchmarks.people import People
from benchmarks.plan import Plan
from benchmarks.rounds import in_turns
from benchmarks.running import valkey
from server.store.names import ShardNames

MOST_BYTES: Final = 700
MOST: Final = 1.1
REAL: Final = 1_000
"""Sessions that people have; the others are copies, which take the same room."""


@dataclass(frozen=True, slots=True)
class _Filled:
    """A store with sessions."""

    people: People
    sids: list[str]


def measure(plan: Plan, folder: Path) -> Result:
    """Measure bytes for each session, and loads among few and among many."""
    bytes_each: list[float] = []  # of each store; the small ones pay for tables that are not full
    with ExitStack() as stack:
        filled = [_fill(count, folder, stack, bytes_each) for count in plan.stores]
        taken = in_turns(
            plan, filled, lambda each: 1e6 * median(each.people.load_seconds(each.sids))
        )
    few, many = plan.stores[0], plan.stores[-1]
    figures = [
        Figure(
            "a session in the store, with its entry in an index of its own",
            f"≤ {MOST_BYTES} bytes",
            MOST_BYTES,
            bytes_each[-1:],
            unit="bytes",
        ),
        Figure(
            f"time to load a session among {many:,}",
            f"≤ {MOST} × among {few:,}",
            MOST,
            ratios(taken[-1], taken[0]),
        ),
    ]
    series = {f"{count}": each for count, each in zip(plan.stores, taken, strict=True)}
    return Result(figures, {"loading a session, us, by number of sessions": series})


def _fill(count: int, folder: Path, stack: ExitStack, bytes_each: list[float]) -> _Filled:
    """Fill a store: a part with sessions of people, the rest with copies of one of them."""
    port = stack.enter_context(valkey(folder / f"store{count}"))
    url = f"redis://127.0.0.1:{port}"
    server = Curfew(folder / f"curfew{count}", store_url=url)
    people = stack.enter_context(server.people())
    signed_in = people.sign_in(1)
    with Redis.from_url(url) as client:
        before = _used_bytes(client)
        signed_in += people.sign_in(min(count, REAL) - 1)
        people.fill(url, signed_in[0], count - len(signed_in))
        bytes_each.append((_used_bytes(client) - before) / (count - 1))
    return _Filled(people, [each.sid for each in signed_in])


def _used_bytes(client: Redis) -> int:
    """Return the memory of the store without its control stream, whose length is limited."""
    stream = client.memory_usage(ShardNames(0).control, samples=0) or 0
    return int(client.info("memory")["used_memory"]) - stream
