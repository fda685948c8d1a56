"""How a browser wants to see the pages: their language and their colours.

Without a choice, a page follows what the browser asks for. A choice is kept in a cookie of its own,
which says nothing about a person. So the switches work before signing in and on pages of errors,
without JavaScript, and while the store cannot be asked.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

COOKIE: Final = "curfew_look"
KEPT_SECONDS: Final = 365 * 86_400
THEMES: Final = ("", "light", "dark")
"""Empty for what the device has."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was chosen.

    Attributes:
        language: its BCP 47 tag; empty for what the browser asks for.
        theme: one of `THEMES`.
    """

    language: str = ""
    theme: str = ""

    @classmethod
    def read(cls, value: str) -> Self:
        """Return the choice in a cookie. What is wrong in it was not chosen.

        Args:
            value: of the cookie; empty for none.
        """
        language, _, theme = value.partition(".")
        return cls().choose("language", language).choose("theme", theme)

    @property
    def value(self) -> str:
        """The value of the cookie."""
        return f"{self.language}.{self.theme}"

    def choose(self, name: str, value: str) -> Self:
        """Return this look with another language or theme; the same for what cannot be chosen."""
        if name == "theme" and value in THEMES:
            return replace(self, theme=value)
        is_tag = value.isascii() and value.replace("-", "").isalnum() and len(value) <= _LONGEST_TAG
        return replace(self, language=value) if name == "language" and is_tag else self


_LONGEST_TAG: Final = 35
"""RFC 5646 4.4.1."""
