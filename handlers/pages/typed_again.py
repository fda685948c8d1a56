"""What a person typed into a form that was refused, so that the page shows it once more.

Never a password or a code: nothing that opens an account is written into a page.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.pages.base import PageHandler


class TypedAgain:
    """Knows the form that a page answers.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: "PageHandler") -> None:
        self._page = page

    def is_for(self, action: str) -> bool:
        """Return whether the page answers a form.

        Args:
            action: the address that the form is sent to.
        """
        return self._page.changes_something and self._page.request.path == action

    def value(self, action: str, name: str) -> str:
        """Return what was typed into a field of a form; empty for a new form."""
        return self._page.typed(name) if self.is_for(action) else ""

    def is_ticked(self, action: str, name: str) -> bool:
        """Return whether a checkbox is ticked; in a new form it is."""
        return not self.is_for(action) or self._page.field(name) == "on"
