"""The numbers of all workers: for each node, together, and when one hangs or is gone."""

from collections.abc import Mapping

import pytest

from server.telemetry.machine import Machine
from server.telemetry.snapshots import Family, Sample


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def told(node: str, **values: float) -> list[Family]:
    """What a node tells: counters end in `_total`, the rest are gauges."""
    return [
        Family(
            f"curfew_{name.removesuffix('_total')}",
            "Some.",
            "counter" if name.endswith("_total") else "gauge",
            [Sample(f"curfew_{name}", {"node": node}, value)],
        )
        for name, value in values.items()
    ]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def machine(clock: Clock) -> Machine:
    """Two workers that have just started."""

    def nothing(_nodes: Mapping[int, str]) -> list[Family]:
        return []

    machine = Machine(nothing, clock)
    machine.started(0, 11)
    machine.started(1, 12)
    return machine


def value(machine: Machine, name: str, *silent: int, **labels: str) -> float | None:
    """Return a sample, if there is one."""
    for family in machine.families(silent):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def test_each_node_is_told_of_and_all_together(machine: Machine) -> None:
    machine.told(0, told("a", sockets_open=17, answers_total=1))
    machine.told(1, told("b", sockets_open=83, answers_total=2))
    assert value(machine, "curfew_sockets_open", node="a") == 17
    assert value(machine, "curfew_sockets_open", node="b") == 83
    assert value(machine, "curfew_machine_sockets_open", node="all") == 100
    assert value(machine, "curfew_machine_answers_total", node="all") == 3
    names = [family.name for family in machine.families([])]
    assert len(names) == len(set(names)), "each metric once"


def test_a_lease_that_one_lost_is_seen_and_the_oldest_age_counts(machine: Machine) -> None:
    machine.told(0, told("a", lease_held=1, lease_age_seconds=0.5, live_sessions=7))
    machine.told(1, told("b", lease_held=0, lease_age_seconds=9.0, live_sessions=7))
    assert value(machine, "curfew_machine_lease_held") == 0
    assert value(machine, "curfew_machine_lease_age_seconds") == 9.0
    assert value(machine, "curfew_machine_live_sessions") == 7


def test_a_worker_that_hangs_keeps_its_numbers_but_proves_nothing(
    machine: Machine, clock: Clock
) -> None:
    machine.told(0, told("a", sockets_open=1, lease_held=1, lease_age_seconds=1.0))
    machine.told(1, told("b", sockets_open=2, lease_held=1, lease_age_seconds=1.0))
    clock.now += 4
    assert value(machine, "curfew_worker_hangs", 1, node="b", place="1") == 1
    assert value(machine, "curfew_worker_hangs", 1, node="a", place="0") == 0
    assert value(machine, "curfew_workers", 1, state="hanging") == 1
    assert value(machine, "curfew_sockets_open", 1, node="b") == 2
    assert value(machine, "curfew_machine_sockets_open", 1) == 3
    assert value(machine, "curfew_lease_held", 1, node="b") == 0
    assert value(machine, "curfew_machine_lease_held", 1) == 0
    assert value(machine, "curfew_lease_age_seconds", 1, node="b") == 5.0


def test_a_new_worker_starts_and_does_not_hang(machine: Machine, clock: Clock) -> None:
    machine.told(0, [])
    assert value(machine, "curfew_workers", 1, state="starting") == 2
    clock.now += 60
    assert value(machine, "curfew_workers", 1, state="starting") == 1
    assert value(machine, "curfew_worker_hangs", 1, node="unknown", place="1") == 1


def test_a_counter_of_all_never_decreases_when_a_worker_is_replaced(machine: Machine) -> None:
    machine.told(0, told("a", answers_total=10, sockets_open=5))
    machine.told(1, told("b", answers_total=1, sockets_open=5))
    machine.gone(0, "crash")
    machine.started(0, 13)
    assert value(machine, "curfew_machine_answers_total") == 11
    assert value(machine, "curfew_machine_sockets_open") == 5
    machine.told(0, told("c", answers_total=2, sockets_open=0))
    assert value(machine, "curfew_machine_answers_total") == 13
    assert value(machine, "curfew_answers_total", node="a") is None
    assert value(machine, "curfew_worker_restarts_total", why="crash") == 1
    assert value(machine, "curfew_worker_restarts_total", why="hang") == 0


def test_the_worker_that_is_asked_comes_first(machine: Machine) -> None:
    machine.told(0, told("a", sockets_open=1))
    machine.told(1, told("b", sockets_open=2))
    for place, nodes in ((0, ["a", "b"]), (1, ["b", "a"])):
        first = machine.begin_with(place, machine.families([]))[0]
        assert [each.labels["node"] for each in first.samples] == nodes


def test_processes_are_told_of_by_their_node() -> None:
    asked: list[Mapping[int, str]] = []

    def processes(nodes: Mapping[int, str]) -> list[Family]:
        asked.append(nodes)
        return []

    machine = Machine(processes)
    machine.started(0, 11)
    machine.started(1, 12)
    machine.told(1, told("b", sockets_open=0))
    machine.families([])
    assert asked == [{12: "b"}]
