"""Environment variables as values: each refusal names the variable, what it got and what it takes.

Only what the text decides is here; whether a file exists is for the caller to look at.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from server.core.addresses import is_origin
from server.core.errors import ConfigurationError

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHORTEST: Final = timedelta(milliseconds=1).total_seconds()
"""The store counts durations in milliseconds."""
_LONGEST: Final = timedelta(days=400).total_seconds()
_A_DURATION: Final = "a duration such as 500ms, 30s, 15m or 12h, from 1ms"
_BASE_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_LONGEST_BASE_PATH: Final = 40
_COOKIE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Environment:
    """Reads variables. An empty one counts as not set.

    Every method raises `ConfigurationError` for a value that the variable does not take.

    Args:
        variables: by name.

    Attributes:
        names: of all variables that were read so far.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.names: set[str] = set()

    def text(self, name: str, default: str) -> str:
        """Return any text, without the spaces around it."""
        self.names.add(name)
        return self._variables.get(name, "").strip() or default

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        text = self.text(name, str(default))
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise refusal(name, text, f"a whole number from {least} to {most}")
        return int(text)

    def duration(self, name: str, default: str) -> timedelta:
        """Return a duration, written as a number and its unit."""
        return _duration(name, self.text(name, default), _A_DURATION)

    def duration_or_off(self, name: str, default: str) -> timedelta | None:
        """Return a duration; None for the word `off`."""
        text = self.text(name, default)
        return None if text == "off" else _duration(name, text, f"off, or {_A_DURATION}")

    def choice(self, name: str, default: str, *choices: str) -> str:
        """Return one of the choices."""
        text = self.text(name, default)
        if text not in choices:
            raise refusal(name, text, " or ".join(choices))
        return text

    def origins(self, name: str, default: str) -> frozenset[str]:
        """Return browser origins, which are separated by commas."""
        origins = [each.strip() for each in self.text(name, default).split(",")]
        for origin in origins:
            if not is_origin(origin):
                raise refusal(
                    name, origin, "origins such as https://app.example, separated by commas"
                )
        return frozenset(origins)

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return addresses and networks, which are separated by commas; none by default."""
        text = self.text(name, "")
        try:
            return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
        except ValueError:
            raise refusal(name, text, "addresses or networks such as 10.0.0.0/8") from None

    def base_path(self, name: str) -> str:
        """Return the beginning of a path, without a slash behind it; empty for the whole host."""
        text = self.text(name, "").rstrip("/")
        if text and (len(text) > _LONGEST_BASE_PATH or not _BASE_PATH.fullmatch(text)):
            raise refusal(name, text, "a path such as /auth, of at most 40 characters")
        return text

    def cookie_name(self, name: str, default: str) -> str:
        """Return the name of a cookie."""
        text = self.text(name, default)
        if not _COOKIE_NAME.fullmatch(text):
            raise refusal(name, text, "1 to 64 letters, digits, - and _")
        return text


def _duration(name: str, text: str, takes: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise refusal(name, text, takes)
    return timedelta(seconds=seconds)


def refusal(name: str, got: str, takes: str) -> ConfigurationError:
    """Return the error for a variable that got what it does not take."""
    return ConfigurationError(f"{name} is {got!r}; it takes {takes}.")
