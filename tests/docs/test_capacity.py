"""The page on capacity is what the model computes from what was measured."""

import json
from dataclasses import replace

import pytest

from benchmarks.capacity.__main__ import MADE, PAGE, PLOT, RESULTS, fleet, main
from benchmarks.capacity.model import Fleet, load_of, most_ends, most_nodes
from benchmarks.capacity.page import FLEETS, tables, walls_plot
from benchmarks.capacity.units import Line, Units, fitted

UNITS = Units.read(RESULTS)
SIMPLE = Units(1_000, 500, 200, 20, 2_000, 600, 1_000, 100, 1, 10_240, 700)


def test_the_page_and_its_plot_are_what_the_model_computes() -> None:
    taken = json.loads(RESULTS.read_text(encoding="utf-8"))
    made = MADE.search(PAGE.read_text(encoding="utf-8"))
    assert made is not None
    assert made[0].strip() == tables(UNITS, taken).strip(), "run `python -m benchmarks.capacity`"
    assert PLOT.read_text(encoding="utf-8") == walls_plot(UNITS)


def test_a_disturbed_round_does_not_move_the_line() -> None:
    points = [(float(x), 10 + 3.0 * x) for x in (1, 2, 4, 8, 16)]
    assert fitted(points) == Line(10.0, 3.0)
    assert fitted([*points, (4.0, 900.0)]) == Line(10.0, 3.0)
    assert fitted([(1.0, 5.0), (2.0, 3.0)]) == Line(4.0, 0.0)


def test_every_node_hears_of_every_end() -> None:
    fleet = Fleet(nodes=10, sessions=0, sockets=0, requests=0.0, ends=100.0)
    load = load_of(fleet, SIMPLE)
    assert load.acknowledgements == 900
    assert load.store == pytest.approx((10 * 500 + 100 * (600 + 10 * 100)) / 1e6)
    assert load.node == pytest.approx((1_000 + 100 * (2_000 / 10 + 1_000)) / 1e6)


def test_the_most_ends_fill_the_wall_and_shards_move_it() -> None:
    for each in FLEETS.values():
        ends, wall = most_ends(each, UNITS)
        if ends:
            full = load_of(replace(each, ends=ends), UNITS)
            assert max(full.node, full.store) == pytest.approx(0.7)
            assert full.wall == wall
    one, many = (most_ends(FLEETS[name], UNITS) for name in ("100 nodes", "100 nodes, 16 shards"))
    assert one[1] == "store"
    assert many[0] > 3 * one[0]


def test_the_walls_are_where_they_were_when_the_page_was_written() -> None:
    """What the words beside the tables say."""
    assert load_of(FLEETS["64 processes"], UNITS).wall == "store"
    assert UNITS.request_node > 2 * UNITS.request_store
    assert most_nodes(UNITS) > 300


def test_a_fleet_of_ones_own_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet("nodes=2,sockets=2e3,ends=0.5") == Fleet(2, 0, 2_000, 0.0, 0.5)
    with pytest.raises(ValueError, match="noddes"):
        fleet("noddes=2")
    assert main(["--fleet", "nodes=2,requests=10"]) == 0
    assert "first wall: " in capsys.readouterr().out
