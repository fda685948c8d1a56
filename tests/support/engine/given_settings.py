"""Settings that were loaded from given variables and a key, and from nothing else."""

from collections.abc import Mapping
from typing import Final

import pytest

from server.core.errors import ConfigurationError
from settings import Settings, load_settings

SECRET: Final = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"
WITH_KEY: Final = {"CURFEW_SECRET_KEYS": SECRET}


def load(**variables: str) -> Settings:
    """Load from nothing but these variables, without their prefix, and a key."""
    return load_settings(WITH_KEY | {f"CURFEW_{name}": value for name, value in variables.items()})


def refusal(environment: Mapping[str, str]) -> str:
    """Return the one line with which the environment is refused."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment)
    line = str(caught.value)
    assert "\n" not in line
    return line
