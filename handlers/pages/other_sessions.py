"""The checkbox on several forms: whether a change ends the person's other sessions, too."""

from typing import Final

from handlers.pages.base import PageHandler

END_OTHERS: Final = "end_other_sessions"


def ends_others(page: PageHandler) -> bool:
    """Return whether the checkbox of the form is ticked."""
    return page.field(END_OTHERS) == "on"
