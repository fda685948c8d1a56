"""The frame of a plot: size, colours for light and dark, axes with round numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 860
COLOURS: Final = 6
STYLE: Final = """
    .card { fill: #ffffff; stroke: #d5d7e0; }
    .grid { stroke: #e4e6ee; } .whisker { stroke: #4a4f78; stroke-width: 1.5; fill: none; }
    .limit { stroke: #b3372f; stroke-dasharray: 5 4; }
    .faded { opacity: 0.55; }
    .line { fill: none; stroke-width: 2; }
    .f0 { fill: #4757c4; } .f1 { fill: #c98a1b; } .f2 { fill: #2f8f66; }
    .f3 { fill: #a2408f; } .f4 { fill: #5b7083; } .f5 { fill: #b3562f; } .plain { fill: #b9bfd0; }
    .s0 { stroke: #4757c4; } .s1 { stroke: #c98a1b; } .s2 { stroke: #2f8f66; }
    .s3 { stroke: #a2408f; } .s4 { stroke: #5b7083; } .s5 { stroke: #b3562f; }
    text { font: 12.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #3d4163; }
    .title { font-weight: 600; font-size: 16px; fill: #1c1e3d; }
    .end { text-anchor: end; } .middle { text-anchor: middle; } .strong { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #15172b; stroke: #3a3d5c; }
      .grid { stroke: #2a2d49; } .whisker { stroke: #aeb3e0; } .limit { stroke: #ff8d80; }
      .f0 { fill: #8491f2; } .f1 { fill: #e0aa4a; } .f2 { fill: #56bb90; }
      .f3 { fill: #d07ac0; } .f4 { fill: #8fa5ba; } .f5 { fill: #e08a62; } .plain { fill: #4c5170; }
      .s0 { stroke: #8491f2; } .s1 { stroke: #e0aa4a; } .s2 { stroke: #56bb90; }
      .s3 { stroke: #d07ac0; } .s4 { stroke: #8fa5ba; } .s5 { stroke: #e08a62; }
      text { fill: #c3c8e6; }
      .title { fill: #eceefb; }
    }
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where numbers stand.

    Attributes:
        low: the number at the beginning.
        high: the number at the end.
        start: pixels of the beginning.
        end: pixels of the end.
        logarithmic: whether each decade is as long as any other.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, number: float) -> float:
        """Return the pixels of a number; of the nearest one that is on the axis."""
        scale: Callable[[float], float] = math.log10 if self.logarithmic else float
        number = min(max(number, self.low), self.high)
        part = (scale(number) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return round(self.start + part * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[float]:
        """Return round numbers on the axis."""
        if self.logarithmic:
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
            steps = (1.0,) if len(exponents) > 3 else (1.0, 2.0, 5.0)  # noqa: PLR2004
            marks = [step * 10.0**each for each in [*exponents, exponents.stop] for step in steps]
            return [each for each in marks if self.low <= each <= self.high * 1.0001]
        step = _round_step((self.high - self.low) / 5)
        count = int(self.high / step + 0.0001)
        return [round(each * step, 6) for each in range(math.ceil(self.low / step), count + 1)]


def axis_for(
    numbers: Sequence[float], start: float, end: float, *, logarithmic: bool = False
) -> Axis:
    """Return an axis with room for all numbers; a linear one begins at 0, or below."""
    highest = max(numbers, default=1.0) or 1.0
    if logarithmic:
        positive = [each for each in numbers if each > 0] or [0.1]
        low = 10.0 ** math.floor(math.log10(min(positive)))
        return Axis(low, max(highest, 2 * low), start, end, logarithmic=True)
    return Axis(min(0.0, *numbers) if numbers else 0.0, highest * 1.02, start, end)


def tick_text(number: float) -> str:
    """Return a number as it stands at an axis."""
    return f"{number:,.0f}" if abs(number) >= 10 or number == int(number) else f"{number:g}"  # noqa: PLR2004


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return a text."""
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>'


def box(kind: str, x: float, y: float, width: float, height: float) -> str:
    """Return a filled box."""
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{max(0.5, width):.1f}" height="{height}"/>'


def document(title: str, description: str, height: float, parts: Sequence[str]) -> str:
    """Return the whole plot."""
    body = "\n  ".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img"
     aria-labelledby="title desc">
  <title id="title">{escape(title)}</title>
  <desc id="desc">{escape(description)}</desc>
  <style>{STYLE}  </style>
  <rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>
  {text(20, 30, title, "title")}
  {body}
</svg>
"""


def _round_step(rough: float) -> float:
    decade = 10.0 ** math.floor(math.log10(rough))
    return next(each * decade for each in (1, 2, 5, 10) if each * decade >= rough * 0.999)
