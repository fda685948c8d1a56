"""The settings that servers of tests have unless a test says otherwise."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {"CURFEW_SIGNUPS_PER_ADDRESS": "1000000", "CURFEW_SIGNUPS_IN_ALL": "1000000"}
)
"""All people of a test are at one address, and many tests may share one server. Which of them would
be refused depends on how many ran before it."""
