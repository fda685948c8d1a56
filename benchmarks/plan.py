"""How much is measured: for the document, in two minutes, or only whether all of it runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: after one that only warms up.
        longest_seconds: after which a part begins no more rounds, so that a busy machine, too, gets
            to an end.
        seconds: of load in a round, for one program; `wrk` knows whole ones only.
        sessions: of which each comes again only after all others, when every one is loaded.
        requests: of one client that is alone, in a round.
        sign_ins: in a round.
        crowd: sockets that are open at once, five for each session.
        many_sockets: the greatest number of sockets.
        idle_seconds: for which these are watched; before, a fifth of it without being watched.
        logouts: in a round.
        stores: numbers of sessions in the stores that a load is measured in, rising.
        with_peers: whether programs are measured that need what `make bench` installs.
    """

    rounds: int
    longest_seconds: float
    seconds: float
    sessions: int
    requests: int
    sign_ins: int
    crowd: int
    many_sockets: int
    idle_seconds: float
    logouts: int
    stores: tuple[int, ...]
    with_peers: bool = True


FULL: Final = Plan(
    rounds=7,
    longest_seconds=150,
    seconds=2,
    sessions=1_000,
    requests=1_000,
    sign_ins=15,
    crowd=5_000,
    many_sockets=10_000,
    idle_seconds=300,
    logouts=60,
    stores=(1_000, 10_000, 100_000, 1_000_000),
)
QUICK: Final = Plan(
    rounds=1,
    longest_seconds=30,
    seconds=1,
    sessions=1_000,
    requests=300,
    sign_ins=5,
    crowd=500,
    many_sockets=1_000,
    idle_seconds=3,
    logouts=20,
    stores=(1_000, 100_000),
)
SMOKE: Final = Plan(
    rounds=1,
    longest_seconds=30,
    seconds=0.1,
    sessions=40,
    requests=20,
    sign_ins=1,
    crowd=20,
    many_sockets=20,
    idle_seconds=0.2,
    logouts=2,
    stores=(10, 100),
    with_peers=False,
)

PLANS: Final = {"full": FULL, "quick": QUICK, "smoke": SMOKE}
