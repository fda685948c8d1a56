"""Where the login page leads who forgot a password: to addresses that are safe to follow."""

import pytest

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.core.password_help import NAME, read_password_help


@pytest.mark.parametrize(
    "address",
    ["", "https://help.example.org/passwords?from=here", "mailto:help@example.org", "/help"],
)
def test_an_address_that_people_can_follow_is_taken(address: str) -> None:
    assert read_password_help(Environment({NAME: address})) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,hello", "http://example.org",
        "https://", "https:///path", "mailto:nobody", "//example.org/", "/\\example.org",
        "/help me", "/help\nme", "help", "ask somebody", "https://[::1/",
    ],
)  # fmt: skip
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="CURFEW_PASSWORD_HELP"):
        read_password_help(Environment({NAME: address}))
