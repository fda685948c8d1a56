"""The checkbox with which people choose at sign-in whether they are remembered."""

from typing import Any, Final

from handlers.http.remember_choice import remember_choice
from handlers.pages.base import PageHandler
from server.core.remembering import RememberMe

REMEMBER: Final = "remember"
OFFERED: Final = "remember_offered"
"""A hidden field beside the checkbox: a browser sends nothing of one that is not ticked."""


class RememberBox:
    """Shows the checkbox, and reads what it brings.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: PageHandler) -> None:
        self._page = page

    @property
    def chosen(self) -> bool | None:
        """What becomes of the choice in the form; None if the form did not offer one."""
        return remember_choice(self._page, self._ticked)

    @property
    def values(self) -> dict[str, Any]:
        """The values for `remember.html`. A form that is shown again keeps what was chosen."""
        policy, ticked = self._page.application.configuration.remember, self._ticked
        return {
            "remember_offered": policy is not RememberMe.OFF,
            "remember": policy is RememberMe.PRESELECT if ticked is None else ticked,
            "remember_timeout": self._page.duration(self._page.rules.remember_absolute_timeout),
        }

    @property
    def _ticked(self) -> bool | None:
        return self._page.field(REMEMBER) == "on" if self._page.field(OFFERED) else None
