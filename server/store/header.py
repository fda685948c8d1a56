"""The readable header of a sealed record, `<revision> <operation id> …`, which scripts compare.

It is not authentic: whoever can write to the store chose it. So it decides nothing but which save
comes first, and one that no program of ours wrote makes its record unreadable.
"""

import re

_HEADER = re.compile(rb"([1-9][0-9]{0,14}) \S+ ")
"""Lua counts no further, and compares texts; Python raises for some thousand digits."""


def revision_of(header: bytes) -> int | None:
    """The revision that a header tells of; None if it is none of ours."""
    found = _HEADER.match(header)
    return int(found[1]) if found else None
