"""What an application shows of itself on Curfew's pages: its name, its logo, its colours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

COLOURS: Final = frozenset(
    {
        "night", "plum", "rose", "ember", "cream",
        "paper", "sheet", "field", "ink", "soft", "line", "edge", "link",
        "action", "on-action", "action-over", "danger", "danger-wash", "calm-wash", "focus",
    }
)  # fmt: skip
"""The custom properties of `static/css/curfew.css` that are colours."""
BY_NIGHT: Final = "@media (prefers-color-scheme: dark) "

_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{3,8}|[a-z]+(?:-[a-z]+)*(?:\([\w\s.,%/+-]{1,60}\))?")


@dataclass(frozen=True, slots=True)
class Brand:
    """What the pages, authenticator apps and passkeys call the application, and how it looks.

    Attributes:
        name: of the application, in titles, in the header and in authenticator apps.
        logo: a file of the application's static folder; empty for ours.
        icon: a static file for the browser's tab.
        stylesheet: a file of the application's static folder that comes after ours; empty for
            none.
        colours: by name, as CSS writes them; see `COLOURS`.
        dark_colours: likewise, where people want dark pages.
    """

    name: str = "Curfew"
    logo: str = ""
    icon: str = "favicon.svg"
    stylesheet: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)
    dark_colours: Mapping[str, str] = field(default_factory=dict)

    @property
    def flaw(self) -> str | None:
        """Why it cannot be shown, as a sentence; None if it can."""
        if not self.name.strip() or not self.name.isprintable() or ":" in self.name:
            # A colon would end the issuer in an authenticator app.
            return f"The name {self.name!r} must be one line, without a colon."
        for name, colour in [*self.colours.items(), *self.dark_colours.items()]:
            if name not in COLOURS:
                return f"There is no colour {name!r}; there are {', '.join(sorted(COLOURS))}."
            if not _COLOUR.fullmatch(colour):
                return f"The colour {name!r} is {colour!r}, which is no colour of CSS."
        return None

    @property
    def styles(self) -> str:
        """The colours as CSS; empty without any."""
        return self.styles_for("")

    def styles_for(self, theme: str) -> str:
        """Return the colours as CSS.

        Args:
            theme: `light` or `dark` if a person has chosen one; anything else is as the device.
        """
        dark = "" if theme == "light" else _rule(self.dark_colours)
        if dark and theme != "dark":
            dark = f"{BY_NIGHT}{{ {dark} }}"
        return _rule(self.colours) + dark

    @property
    def styles_version(self) -> str:
        """Changes with the colours, so that browsers may keep them; empty without any."""
        return f"{crc32(self.styles.encode()):08x}" if self.styles else ""


def _rule(colours: Mapping[str, str]) -> str:
    lines = "".join(f"--{name}: {colour}; " for name, colour in colours.items())
    return f":root {{ {lines}}}\n" if lines else ""


CURFEW: Final = Brand()
