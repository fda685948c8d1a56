"""Rounds that alternate between programs: what disturbs the machine disturbs all of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

_P = TypeVar("_P")
_R = TypeVar("_R")


def in_turns(
    rounds: int, programs: Sequence[_P], measure: Callable[[_P], _R], *, warm_up: bool = True
) -> list[list[_R]]:
    """Measure every program once in each round.

    Args:
        rounds: that count.
        programs: in each round another one begins.
        measure: measures a program once.
        warm_up: whether there is one more round, before the others, that does not count. There is
            none if one round is enough: then nobody judges by it.

    Returns:
        The samples of each program, in the order of the programs.
    """
    samples: list[list[_R]] = [[] for _ in programs]
    for number in range(-int(warm_up and rounds > 1), rounds):
        for turn in range(len(programs)):
            which = (turn + number) % len(programs)
            sample = measure(programs[which])
            if number >= 0:
                samples[which].append(sample)
    return samples
