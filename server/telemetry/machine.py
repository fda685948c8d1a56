"""What all processes of one machine count, for each node and together.

A counter of all never decreases: what a worker counted stays in it when the worker is gone. Numbers
of a worker that does not answer are its latest ones, except what only an answer proves.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.telemetry.snapshots import Family, Labels, Sample

ALL: Final = "all"
"""In the label `node` of what is told of all processes together."""
PREFIX: Final = "curfew_machine_"
STARTING_SECONDS: Final = 5.0
"""How long a new worker may take before it answers at all."""

MOST: Final = frozenset(
    {"curfew_lease_age_seconds", "curfew_stream_lag_seconds", "curfew_live_sessions"}
)
"""Of these gauges, the one of all is the largest."""
LEAST: Final = frozenset(
    {
        *("curfew_lease_held", "curfew_follower_connected"),
        "curfew_tls_expiry_timestamp_seconds",
    }
)
"""Of these, the smallest. Of all other gauges it is the sum."""
AGES: Final = frozenset({"curfew_lease_age_seconds", "curfew_stream_lag_seconds"})
PROVED: Final = frozenset({"curfew_lease_held", "curfew_follower_connected"})
SAME_EVERYWHERE: Final = frozenset({"curfew_build_info"})
ADDING: Final = frozenset({"counter", "histogram"})

STATES: Final = ("serving", "starting", "hanging")

_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Worker:
    """What is known of the worker in one place."""

    pid: int
    started_at: float
    told_at: float | None = None
    families: list[Family] = field(default_factory=list)

    @property
    def node(self) -> str:
        """Its node; empty as long as it has not said."""
        first = next((each.samples[0] for each in self.families if each.samples), None)
        return first.labels["node"] if first else ""


class Machine:
    """Collects the numbers of the workers.

    Args:
        processes_of: returns the metrics of processes, by process id and node.
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(
        self,
        processes_of: Callable[[Mapping[int, str]], Iterable[Family]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes_of = processes_of
        self._monotonic = monotonic
        self._workers: dict[int, _Worker] = {}
        self._left: dict[str, dict[_Key, float]] = {}
        """What workers that are gone have counted, by family."""
        self._restarts = {"exit": 0, "crash": 0, "hang": 0}

    def started(self, place: int, pid: int) -> None:
        """Note that a worker runs."""
        self._workers[place] = _Worker(pid, self._monotonic())

    def told(self, place: int, families: list[Family]) -> None:
        """Take the numbers of a worker; none if it only says that it starts."""
        if worker := self._workers.get(place):
            worker.told_at = self._monotonic()
            worker.families = families

    def gone(self, place: int, why: str) -> None:
        """Note that a worker is gone, and keep what it counted.

        Args:
            place: which worker.
            why: `exit`, `crash` or `hang`.
        """
        self._restarts[why] += 1
        worker = self._workers.pop(place, None)
        for family in worker.families if worker else ():
            if family.kind in ADDING:
                left = self._left.setdefault(family.name, {})
                for sample in family.samples:
                    left[_key(sample)] = left.get(_key(sample), 0.0) + sample.value

    def families(self, silent: Iterable[int]) -> list[Family]:
        """Return all metrics.

        Args:
            silent: the places whose workers did not answer just now.
        """
        silent, now = frozenset(silent), self._monotonic()
        nodes = [
            family if place not in silent else _as_unproved(family, now - (each.told_at or now))
            for place, each in sorted(self._workers.items())
            for family in each.families
        ]
        pids = {each.pid: each.node for each in self._workers.values() if each.node}
        return [
            *_joined(nodes),
            *self._of_all(nodes),
            *self._of_workers(silent, now),
            *self._processes_of(pids),
        ]

    def begin_with(self, place: int, families: Iterable[Family]) -> list[Family]:
        """Return metrics in which the samples of one worker's node stand first."""
        worker = self._workers.get(place)
        node = worker.node if worker else ""
        return [
            each._replace(samples=sorted(each.samples, key=lambda it: it.labels["node"] != node))
            for each in families
        ]

    def _of_all(self, nodes: list[Family]) -> Iterator[Family]:
        """Return the metrics of all processes together."""
        for family in _joined(nodes):
            if family.name in SAME_EVERYWHERE:
                continue
            found: dict[_Key, list[float]] = {}
            for sample in family.samples:
                found.setdefault(_key(sample), []).append(sample.value)
            for key, value in self._left.get(family.name, {}).items():
                found.setdefault(key, []).append(value)
            combine = _combination_of(family.name)
            yield Family(
                _name_of_all(family.name),
                f"{family.documentation} Of all processes of this machine.",
                family.kind,
                [
                    Sample(_name_of_all(name), {"node": ALL, **dict(labels)}, combine(values))
                    for (name, labels), values in found.items()
                ],
            )

    def _of_workers(self, silent: frozenset[int], now: float) -> Iterator[Family]:
        """Return what the parent itself knows of its workers."""
        states = {place: self._state(place, silent, now) for place in sorted(self._workers)}
        yield Family(
            "curfew_workers",
            "Workers, by what they do. One that hangs does not answer its parent.",
            "gauge",
            [
                _sample_of_all(list(states.values()).count(state), "curfew_workers", state=state)
                for state in STATES
            ],
        )
        yield Family(
            "curfew_worker_hangs",
            "1 while a worker does not answer its parent: its numbers are its latest ones.",
            "gauge",
            [
                Sample("curfew_worker_hangs", self._labels(place), float(state == "hanging"))
                for place, state in states.items()
            ],
        )
        yield Family(
            "curfew_worker_restarts",
            "Workers that ended and were replaced, by why.",
            "counter",
            [
                _sample_of_all(number, "curfew_worker_restarts_total", why=why)
                for why, number in self._restarts.items()
            ],
        )

    def _state(self, place: int, silent: frozenset[int], now: float) -> str:
        worker = self._workers[place]
        if place not in silent:
            return "serving" if worker.families else "starting"
        is_new = worker.told_at is None and now - worker.started_at < STARTING_SECONDS
        return "starting" if is_new else "hanging"

    def _labels(self, place: int) -> Labels:
        return {"node": self._workers[place].node or "unknown", "place": str(place)}


def _sample_of_all(value: float, name: str, **labels: str) -> Sample:
    return Sample(name, {"node": ALL, **labels}, float(value))


def _name_of_all(name: str) -> str:
    return PREFIX + name.removeprefix("curfew_")


def _key(sample: Sample) -> _Key:
    labels = ((name, value) for name, value in sample.labels.items() if name != "node")
    return sample.name, tuple(sorted(labels))


def _combination_of(name: str) -> Callable[[list[float]], float]:
    if name in MOST:
        return max
    return min if name in LEAST else sum


def _joined(families: Iterable[Family]) -> list[Family]:
    """Return each metric once, with the samples of all nodes."""
    found: dict[str, Family] = {}
    for each in families:
        if each.name in found:
            found[each.name].samples.extend(each.samples)
        else:
            found[each.name] = _with(each, list(each.samples))
    return list(found.values())


def _with(family: Family, samples: list[Sample]) -> Family:
    return family._replace(samples=samples)


def _as_unproved(family: Family, age: float) -> Family:
    """Return a metric of a node that does not answer: nothing is proved, and time went on."""
    if family.name in PROVED:
        return _with(family, [each._replace(value=0.0) for each in family.samples])
    if family.name in AGES:
        later = [each._replace(value=each.value + age) for each in family.samples]
        return _with(family, later)
    return family
