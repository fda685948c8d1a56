"""The table: every row with its target, what was measured, how far it spread, and the verdict."""

from collections.abc import Sequence
from typing import Final

from benchmarks.figures import Figure

HEADS: Final = ("what", "target", "measured", "rounds, from – to", "verdict")


def text_table(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    rows = [HEADS, *map(_cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def markdown_table(figures: Sequence[Figure]) -> str:
    """Return the table for the document."""
    lines = [f"| {' | '.join(HEADS)} |", "|---|---|---|---|---|"]
    for each in figures:
        what, target, measured, spread, verdict = _cells(each)
        note = f" {each.note}" if each.note else ""
        lines.append(f"| {what}{note} | {target} | {measured} | {spread} | **{verdict}** |")
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with three digits that count, and no fewer than it has before the point."""
    if abs(value) >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _cells(figure: Figure) -> tuple[str, ...]:
    if not figure.samples:
        return figure.what, figure.target, "–", "–", figure.verdict
    unit = "" if figure.unit == "×" else f" {figure.unit}"
    measured = f"{number(figure.value)}{unit or ' ×'}"
    low, high = number(min(figure.samples)), number(max(figure.samples))
    spread = f"{len(figure.samples)}, {low} – {high}"
    return figure.what, figure.target, measured, spread, figure.verdict
