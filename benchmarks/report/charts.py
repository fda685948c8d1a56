"""Three kinds of plots: bars with their spread, lines, and bars made of parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.report.svg import COLOURS, WIDTH, Axis, axis_for, box, document, text, tick_text
from benchmarks.report.table import number

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Lines:
    """What a plot of lines says about itself.

    Attributes:
        title: of the plot.
        across: what its horizontal axis shows.
        up: what its vertical axis shows.
        logarithmic: whether the horizontal axis is.
        limit: a number of the vertical axis that a line marks; 0 for none.
    """

    title: str
    across: str
    up: str
    logarithmic: bool = False
    limit: float = 0.0


def bars(title: str, samples: Mapping[str, Sequence[float]], ours: str) -> str:
    """Return horizontal bars of medians, with a whisker from the lowest to the highest round."""
    labels = sorted(samples, key=lambda label: -median(samples[label]))
    left, top, row = 270.0, 46.0, 26.0
    axis = _bar_axis(samples, left)
    parts, said = [], []
    for index, label in enumerate(labels):
        y, value = top + index * row, median(samples[label])
        low, high = (axis.place(each(samples[label])) for each in (min, max))
        is_ours, written = label.startswith(ours), number(value)
        if value > axis.high:
            written += " (cut)"
        parts += [
            text(left - 10, y + 15, label, "end strong" if is_ours else "end"),
            box("f0" if is_ours else "plain", left, y + 3, axis.place(value) - left, row - 8),
            f'<path class="whisker" d="M{low} {y + 12}H{high}M{low} {y + 8}v8M{high} {y + 8}v8"/>',
            text(max(high, axis.place(value)) + 8, y + 16, written),
        ]
        said.append(f"{label} {number(value)}")
    return document(title, "; ".join(said) + ".", top + len(labels) * row + 16, parts)


def _bar_axis(samples: Mapping[str, Sequence[float]], left: float) -> Axis:
    """Return an axis for all bars; of one that is far longer than the others, for a part."""
    medians = sorted(median(taken) for taken in samples.values())
    longest = 2 * medians[-2] if len(medians) > 1 else medians[-1]
    shown = [min(each, longest) for taken in samples.values() for each in taken]
    return axis_for(shown, left, WIDTH - 110.0)


def lines(about: Lines, drawn: Mapping[str, Points]) -> str:
    """Return lines in a frame of two axes."""
    legend = 46.0 + 20.0 * len(drawn)
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [*(y for points in drawn.values() for _, y in points), about.limit]
    across = axis_for(xs, 70.0, WIDTH - 45.0, logarithmic=about.logarithmic)
    up = axis_for(ys, legend + 270.0, legend + 14.0)
    parts = _grid(about, across, up)
    for index, (label, points) in enumerate(drawn.items()):
        colour, y = index % COLOURS, 52.0 + 20.0 * index
        path = " ".join(f"{across.place(x)},{up.place(value)}" for x, value in points)
        parts += [
            f'<polyline class="line s{colour}" points="{path}"/>',
            box(f"f{colour}", 70, y - 9, 16, 10),
            text(94, y, label),
        ]
    if about.limit:
        y = up.place(about.limit)
        parts.append(f'<path class="limit" d="M{across.start} {y}H{across.end}"/>')
    description = f"{about.up} by {about.across}: {', '.join(drawn)}."
    return document(about.title, description, up.start + 56, parts)


def stacks(title: str, rows: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Return one bar for each row, made of its parts, each with its name and number below."""
    top, parts, said = 52.0, list[str](), list[str]()
    axis = axis_for([sum(each.values()) for each in rows.values()], 20.0, WIDTH - 20.0)
    for label, shares in rows.items():
        total = sum(shares.values())
        parts.append(text(20, top + 8, f"{label}: {number(total)} {unit}", "strong"))
        at = 0.0
        for index, (part, taken) in enumerate(shares.items()):
            x, end = axis.place(at), axis.place(at + taken)
            column, line = index % 3, index // 3
            colour = f"f{index % COLOURS}" + (" faded" if index >= COLOURS else "")
            left, below = 20 + column * 275, top + 68 + line * 19
            parts += [
                box(colour, x, top + 16, end - x, 26),
                box(colour, left, below - 10, 12, 12),
                text(left + 18, below, f"{part}: {number(taken)}"),
            ]
            at += taken
            said.append(f"{part} {number(taken)}")
        top += 92.0 + (len(shares) - 1) // 3 * 19
    return document(title, "; ".join(said) + ".", top, parts)


def distribution(samples: Sequence[float]) -> list[tuple[float, float]]:
    """Return the points of the distribution: the percentage of samples up to each."""
    ordered = sorted(samples)
    return [(each, 100 * (index + 1) / len(ordered)) for index, each in enumerate(ordered)]


def _grid(about: Lines, across: Axis, up: Axis) -> list[str]:
    parts = []
    for tick in across.ticks:
        x = across.place(tick)
        parts.append(f'<path class="grid" d="M{x} {up.start}V{up.end}"/>')
        parts.append(text(x, up.start + 18, tick_text(tick), "middle"))
    for tick in up.ticks:
        y = up.place(tick)
        parts.append(f'<path class="grid" d="M{across.start} {y}H{across.end}"/>')
        parts.append(text(across.start - 8, y + 4, tick_text(tick), "end"))
    parts.append(text((across.start + across.end) / 2, up.start + 40, about.across, "middle"))
    parts.append(text(across.start, up.end - 4, about.up))
    return parts
