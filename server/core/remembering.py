"""Remember me: what a person chooses at sign-in, and what a sign-in gets that does not choose.

The choice is in the session's record, so every later cookie of the session follows it.
"""

from enum import StrEnum


class RememberMe(StrEnum):
    """Whether people may be remembered; the values of `CURFEW_REMEMBER`."""

    OFF = "off"
    """Nobody may. What a client chooses does not count."""
    OFFER = "offer"
    """Who chooses it. Who leaves the choice open has a cookie for as long as the session."""
    PRESELECT = "preselect"
    """Everybody who does not choose otherwise."""


def remembered(policy: RememberMe, chosen: bool | None) -> bool | None:  # noqa: FBT001 - a choice
    """Return what becomes of a choice: True, False, or None for the ordinary cookie.

    Args:
        policy: whether people may be remembered.
        chosen: True to be remembered, False for a cookie that ends with the browser; None if the
            client did not choose.
    """
    if policy is RememberMe.OFF:
        return None
    if chosen is None and policy is RememberMe.PRESELECT:
        return True
    return chosen
