"""What somebody else's requests take while one address attacks, beside what they take in quiet.

    python -m benchmarks.attacks [--rounds N] [--seconds S] [--write] [name ...]

Starts a server by `run.py`, signs users in, and asks for a session fifty times a second from one
loopback address, first in quiet and then while another address attacks from a process of its own.
Somebody else signs in four times a second meanwhile. Each case is measured in several rounds, and
in two ways:

- *shared*: server, store, attacker and clients share all cores, as the machine gives them.
- *apart*: the server and its store have one core, and the attacker has another, with the clients,
  before whom it gives way. So what is measured is the program, and not who gets the processor.

Prints the median and the worst latency of quiet and of attack, and every answer that was not 200.
With `--write`, the figures go to docs/attacks.json, each in the place of the same attack's earlier
ones, and the page docs/attacks.md is written from all of them.

On a machine where others work, all this says more about them than about the server. So it also
prints what the server's loop computes until a request is answered that came last, when everything
that the attacker could send is there: the part of the latency that the program answers for.
"""

import argparse
import asyncio
import os
import sys

from benchmarks.attacks.measure import ATTACKS, PLACINGS, Plan, attack_by_name, measure_all
from benchmarks.attacks.page import KEPT, PAGE, page_of
from benchmarks.attacks.rows import keep


def main() -> None:
    """Measure the given attacks, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(ATTACKS)}")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of each round")
    parser.add_argument("--only", choices=list(PLACINGS))
    parser.add_argument(
        "--write", action="store_true", help="write docs/attacks.json and docs/attacks.md"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(ATTACKS):
        parser.error(f"there is no {', '.join(unknown)}")
    plan = Plan(given.rounds, given.seconds)
    placings = [given.only] if given.only else list(PLACINGS)
    rows = asyncio.run(measure_all(given.names or list(ATTACKS), plan, placings))
    if given.write:
        PAGE.write_text(page_of(keep(rows, KEPT, list(ATTACKS))), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--attack"]:
        asyncio.run(attack_by_name(sys.argv[2], sys.stdin.read()))
        os._exit(0)
    main()
