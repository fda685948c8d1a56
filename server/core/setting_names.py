"""What a variable is that looks like a setting and is none.

A misspelt variable would be ignored, and the server would run with the default that somebody meant
to change. So a variable that begins with `CURFEW_` is a setting, or it stops the start.
"""

import re
from collections.abc import Collection, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Final

from server.core.errors import ConfigurationError

PREFIX: Final = "CURFEW_"
OF_APPLICATIONS: Final = "CURFEW_APP_"
"""Variables of applications that are built on Curfew; no setting of ours begins like this."""

OF_TOOLS: Final = frozenset(
    {
        "CURFEW_BENCH_NOTES",
        "CURFEW_CLOCK_STEP",
        "CURFEW_FIRST_SEED",
        "CURFEW_FAULTS",
        "CURFEW_HISTORIES",
        "CURFEW_ROOM_HISTORIES",
        "CURFEW_SKEW",
        "CURFEW_TEST_URL",
    }
)
"""Variables of this project's tests and benchmarks, which servers inherit."""

_OF_CLUSTERS: Final = re.compile(
    r"(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?"
    r"|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)"
)
"""What Kubernetes sets, behind the prefix, in every container for a Service whose name begins with
`curfew`."""
_LINK: Final = re.compile(r"(?:tcp|udp|sctp)://\S+")
_PREFIX_IS_MEANT: Final = 0.8
_SETTING_IS_MEANT: Final = 0.85
"""How similar a name must be, from 0 to 1, if it does not even begin as a setting does."""


def is_link(name: str, value: str, prefix: str = PREFIX) -> bool:
    """Return whether a cluster set the variable, for a Service of that name (`CURFEW_WEB_PORT`)."""
    is_of_cluster = name.startswith(prefix) and _OF_CLUSTERS.fullmatch(name, len(prefix))
    return bool(is_of_cluster or (name.endswith("_PORT") and _LINK.fullmatch(value)))


def refuse_unknown(
    variables: Mapping[str, str],
    settings: Collection[str],
    prefix: str = PREFIX,
    place: str = "docs/settings.md lists",
) -> None:
    """Refuse variables that look like settings and are none. An empty one counts as not set.

    Args:
        variables: by name.
        settings: the names of all settings.
        prefix: what they begin with.
        place: where all of them are, as the beginning of a sentence.

    Raises:
        ConfigurationError: it names each of them and the nearest setting, never a value: what was
            meant as a key is a secret under any name.
    """
    names = sorted(
        name for name in variables if _is_unknown(name, variables[name], settings, prefix)
    )
    if names:
        told = " ".join(
            f"There is no setting {_shown(name)}; {_advice(name, settings)}." for name in names
        )
        raise ConfigurationError(f"{told} {place} all settings.")


def _is_unknown(name: str, value: str, settings: Collection[str], prefix: str) -> bool:
    if name in settings or name in OF_TOOLS or not value.strip():
        return False
    if prefix == PREFIX and name.startswith(OF_APPLICATIONS):
        return False
    if is_link(name, value, prefix):
        return False
    return name.upper().startswith(prefix) or _misspells_the_prefix(name, settings, prefix)


def _misspells_the_prefix(name: str, settings: Collection[str], ours: str) -> bool:
    """Return whether the name is one of ours but for the prefix, as `CURFW_PORT` is."""
    if name.startswith(PREFIX):  # another reader's, if it is not ours
        return False
    prefix, _, rest = re.sub(r"[^A-Z0-9]+", "_", name.upper()).partition("_")
    if not rest or SequenceMatcher(None, prefix, ours[:-1]).ratio() < _PREFIX_IS_MEANT:
        return False
    return bool(get_close_matches(ours + rest, settings, 1, _SETTING_IS_MEANT))


def _advice(name: str, settings: Collection[str]) -> str:
    if not settings:
        return "there are none"
    (nearest,) = get_close_matches(name.upper(), sorted(settings), 1, 0.0)
    if name.upper() == nearest:
        return f"write {nearest}"
    return f"the nearest one is {nearest}"


def _shown(name: str) -> str:
    return name if name.isprintable() and " " not in name else repr(name)
