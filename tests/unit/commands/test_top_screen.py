"""What is drawn: all of it without a terminal, what matters most on a narrow or low one."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from server.commands.top_screen import Screen, latency, rate
from server.core.events import Scope, SessionsEnded
from server.core.live_view import LiveView, Reading, view_of
from server.core.reasons import Reason
from server.core.recent_ends import Done, RecentEnd
from server.core.samples import Samples, Series

END = SessionsEnded(
    Scope.SESSION, "e" * 32, "n1", Reason.LOGOUT, 0.0, "[red]ann", 0, "", 3661.0, ("sid",)
)


def view(nodes: int = 2, ends: int = 1, problems: tuple[str, ...] = ()) -> LiveView:
    """A view with so many nodes and ends."""
    samples = [
        Series(f"curfew_{name}", {"node": f"node-{number:02d}"}, 1.0)
        for number in range(nodes)
        for name in ("lease_held", "sockets_open")
    ]
    told = [RecentEnd(END, (Done("n2", 3, 0.012),))] * ends
    return view_of(
        Reading(1.0, Samples(samples), {"elsewhere": 5.0}, 1.0, told, problems=problems), None
    )


def drawn(of: LiveView, width: int, height: int | None = None) -> str:
    """What a terminal of this size shows."""
    out = io.StringIO()
    live = height is not None
    console = Console(file=out, width=width, height=height, force_terminal=live, color_system=None)
    screen = Screen(console)
    if live:
        with screen.live():
            screen.update(of)
    else:
        screen.print(of)
    return out.getvalue()


def test_without_a_terminal_all_is_printed_as_plain_text() -> None:
    told = drawn(view(), 120)
    assert "\x1b" not in told
    for word in ("node-00", "elsewhere", "[red]ann", "logout", "12 ms", "01:01:01", "e" * 32):
        assert word in told
    assert told.startswith("No faults.")


def test_a_narrow_terminal_shows_the_first_columns_whole() -> None:
    told = drawn(view(), 40)
    assert "node-00" in told
    assert "12 ms" in told
    assert "e" * 32 not in told
    assert all(len(line) <= 40 for line in told.splitlines())


@pytest.mark.parametrize("height", [12, 24, 50])
def test_a_low_terminal_shows_faults_and_says_what_it_leaves_out(height: int) -> None:
    told = drawn(view(nodes=40, ends=100, problems=("the store is away",)), 100, height)
    assert "! the store is away" in told
    assert "more nodes" in told
    if height >= 24:
        assert "more ends" in told


def test_a_node_that_may_not_serve_is_shown_as_such() -> None:
    seen = view(nodes=1)
    stopped = replace(seen, nodes=[replace(seen.nodes[1], serves=False)], ends=())
    assert " no " in drawn(stopped, 100)
    assert "No ends of the last minutes." in drawn(stopped, 100)


def test_numbers_are_short_and_unknown_ones_are_a_dash() -> None:
    assert [latency(each) for each in (None, 0.0025, 0.25, float("inf"))] == [
        "-", "2.5 ms", "250 ms", "more",
    ]  # fmt: skip
    assert (rate(None), rate(2.0)) == ("-", "2.0/s")
