"""What becomes of the choice to be remembered."""

import pytest

from server.core.remembering import RememberMe, remembered


@pytest.mark.parametrize(
    ("policy", "chosen", "outcome"),
    [
        (RememberMe.OFFER, None, None),
        (RememberMe.OFFER, True, True),
        (RememberMe.OFFER, False, False),
        (RememberMe.PRESELECT, None, True),
        (RememberMe.PRESELECT, True, True),
        (RememberMe.PRESELECT, False, False),
        (RememberMe.OFF, None, None),
        (RememberMe.OFF, True, None),
        (RememberMe.OFF, False, None),
    ],
)
def test_the_setting_says_what_becomes_of_each_choice(
    policy: RememberMe, *, chosen: bool | None, outcome: bool | None
) -> None:
    assert remembered(policy, chosen) is outcome
