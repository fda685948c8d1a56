"""Draws what `run.py top` shows. It alone imports Rich, and is imported by that command alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from server.core.live_view import Figures, LiveView, NodeRow
from server.core.recent_ends import RecentEnd

NARROW: Final = 72
"""Columns below which tables leave out what matters least."""
PLAIN_WIDTH: Final = 120
FRAME: Final = 10
"""Lines beside the tables' rows."""
SHORTEST: Final = 3
"""Rows of a table at least, however low the terminal is."""
HEADING: Final = "bold"
BAD: Final = "bold red"
TEN_MS: Final = 0.01
UNKNOWN: Final = "-"


class Screen:
    """A terminal, or whatever else is written to.

    Args:
        console: where to; None for standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._live: Live | None = None

    @property
    def is_live(self) -> bool:
        """Whether this is a terminal on which lines can be replaced."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    @contextmanager
    def live(self) -> Iterator[None]:
        """Use the whole terminal, and leave it as it was."""
        with Live(console=self._console, screen=True, auto_refresh=False) as self._live:
            yield

    def update(self, view: LiveView) -> None:
        """Show a view in place of the one before."""
        if self._live is not None:
            size = self._console.size
            self._live.update(drawn(view, size.width, size.height), refresh=True)

    def print(self, view: LiveView) -> None:
        """Print a view, whole."""
        self._console.print(drawn(view, self._console.width, None), soft_wrap=False)


def _console() -> Console:
    console = Console(highlight=False, emoji=False)
    # A pipe has no width, and whoever reads it can fold lines.
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def drawn(view: LiveView, width: int, height: int | None) -> RenderableType:
    """Return a view as Rich prints it.

    Args:
        view: the view.
        width: columns of the terminal.
        height: its lines; None for no limit. Faults come first, and the longest tables are cut.
    """
    faults = _faults(view)
    room = None if height is None else max(2 * SHORTEST, height - FRAME - len(faults))
    nodes = None if room is None else max(SHORTEST, min(len(view.nodes), room // 2))
    ends = None if room is None else max(SHORTEST, room - min(len(view.nodes), nodes or 0))
    return Group(
        *faults,
        *_sums(view.figures),
        Text(),
        _nodes(view.nodes, width, nodes),
        Text(),
        _ends(view.ends, width, ends),
    )


def _faults(view: LiveView) -> list[Text]:
    if not view.faults:
        return [Text("No faults.", style="green")]
    return [Text(f"! {each}", style=BAD) for each in view.faults]


def _sums(figures: Figures) -> list[Text]:
    held = f", {figures.held} of them held" if figures.held else ""
    sessions = UNKNOWN if figures.sessions is None else str(figures.sessions)
    return [
        Text(
            f"sessions {sessions} · sockets {figures.sockets}{held} · "
            f"sessions with sockets {figures.with_sockets}"
        ),
        Text(
            f"requests {rate(figures.requests)} · failed {rate(figures.failed)} · "
            f"half within {latency(figures.request_median)}, "
            f"99 % within {latency(figures.request_slow)}"
        ),
        Text(
            f"ends {figures.ended} · {rate(figures.ends)} · "
            f"receipts: half within {latency(figures.receipt_median)}, "
            f"99 % within {latency(figures.receipt_slow)} · "
            f"sockets closed: half within {latency(figures.closing_median)}, "
            f"99 % within {latency(figures.closing_slow)}"
        ),
    ]


def _table(width: int, wide: int, *columns: tuple[str, bool]) -> tuple[Table, int]:
    """Return an empty table, and how many of the columns fit: a narrow one has the first only."""
    shown = columns if width >= NARROW else columns[:wide]
    table = Table(box=None, pad_edge=False, header_style=HEADING)
    for name, is_number in shown:
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    return table, len(shown)


def _nodes(rows: Sequence[NodeRow], width: int, limit: int | None) -> RenderableType:
    table, columns = _table(
        width,
        4,
        ("node", False),
        ("serves", False),
        ("lease", True),
        ("sockets", True),
        ("sessions", True),
        ("requests", True),
        ("behind", True),
    )
    for each in rows[:limit]:
        style = BAD if each.serves is False or _has_run_out(each) else ""
        table.add_row(*_as_text(_node_cells(each)[:columns]), style=style)
    return _with_rest(table, "nodes", len(rows), limit)


def _node_cells(row: NodeRow) -> list[str]:
    lease = UNKNOWN if row.lease_left is None else f"{row.lease_left:.1f} s"
    if not row.is_told:
        return [row.node, "elsewhere", lease, *[UNKNOWN] * 4]
    serves = "yes" if row.serves else "no"
    numbers = [str(row.sockets), str(row.sessions), rate(row.requests)]
    return [row.node, serves, lease, *numbers, f"{row.lag:.1f} s"]


def _has_run_out(row: NodeRow) -> bool:
    return row.lease_left is not None and row.lease_left < 0


def _ends(rows: Sequence[RecentEnd], width: int, limit: int | None) -> RenderableType:
    table, columns = _table(
        width,
        4,
        ("ended at", False),
        ("whose", False),
        ("why", False),
        ("done in", True),
        ("nodes", True),
        ("sockets", True),
        ("sessions", True),
        ("end", False),
    )
    for each in rows[:limit]:
        table.add_row(*_as_text(_end_cells(each)[:columns]))
    return _with_rest(table, "ends of the last minutes", len(rows), limit)


def _end_cells(row: RecentEnd) -> list[str]:
    at = f"{datetime.fromtimestamp(row.end.at, UTC):%H:%M:%S}"
    sessions = "all" if row.sessions is None else str(row.sessions)
    nodes, closed = str(len(row.done)), str(row.sockets_closed)
    told = [latency(row.seconds), nodes, closed] if row.done else [UNKNOWN] * 3
    return [at, row.whose, row.end.reason.value, *told, sessions, row.end.end_id]


def _as_text(cells: Sequence[str]) -> list[Text]:
    """Return cells in which nothing is markup: a person chose the user's name."""
    return [Text(each) for each in cells]


def _with_rest(table: Table, what: str, number: int, limit: int | None) -> RenderableType:
    """Return a table, with how many rows it leaves out."""
    if not number:
        return Text(f"No {what}.")
    if limit is None or number <= limit:
        return table
    return Group(table, Text(f"… and {number - limit} more {what}", style="dim"))


def rate(number: float | None) -> str:
    """Return a rate as it is shown."""
    return UNKNOWN if number is None else f"{number:.1f}/s"


def latency(seconds: float | None) -> str:
    """Return a latency as it is shown."""
    if seconds is None:
        return UNKNOWN
    if seconds == float("inf"):
        return "more"
    digits = 0 if seconds >= TEN_MS else 1
    return f"{seconds * 1000:.{digits}f} ms"
