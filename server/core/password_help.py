"""Where people who forgot their password find help: the setting `CURFEW_PASSWORD_HELP`."""

from typing import Final
from urllib.parse import urlsplit

from server.core.environment import Environment, refusal

NAME: Final = "CURFEW_PASSWORD_HELP"
TAKES: Final = "an address that begins with https://, mailto: or one slash"


def read_password_help(read: Environment) -> str:
    """Return the address that the login page leads to; empty for none.

    Raises:
        ConfigurationError: it is no address that a page may lead to.
    """
    address = read.text(NAME, "")
    if address and not _may_be_led_to(address):
        raise refusal(NAME, address, TAKES)
    return address


def _may_be_led_to(address: str) -> bool:
    if not (address.isprintable() and " " not in address and "\\" not in address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "mailto":
        return "@" in parts.path
    return not parts.scheme and not parts.netloc and address.startswith("/")
