"""Rounds that alternate between programs: what disturbs the machine disturbs all of them."""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from benchmarks.plan import Plan

FEWEST: Final = 3
"""Rounds that are measured however long they take."""

_P = TypeVar("_P")
_R = TypeVar("_R")


def in_turns(
    plan: Plan,
    programs: Sequence[_P],
    measure: Callable[[_P], _R],
    *,
    warm_up: bool = True,
    share: float = 1.0,
) -> list[list[_R]]:
    """Measure every program once in each round, until there are enough, or no time is left.

    Args:
        plan: how many rounds, and how long they may take.
        programs: in each round another one begins.
        measure: measures a program once.
        warm_up: whether there is one more round, before the others, that does not count. There is
            none if one round is enough: then nobody judges by it.
        share: of the time that a part usually gets.

    Returns:
        The samples of each program, in the order of the programs.
    """
    samples: list[list[_R]] = [[] for _ in programs]
    until = time.monotonic() + share * plan.longest_seconds
    for number in range(-int(warm_up and plan.rounds > 1), plan.rounds):
        if number >= FEWEST and time.monotonic() > until:
            break
        for turn in range(len(programs)):
            which = (turn + number) % len(programs)
            sample = measure(programs[which])
            if number >= 0:
                samples[which].append(sample)
    return samples
