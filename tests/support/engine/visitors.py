"""What writes the sessions of visitors, with the limits of a test."""

from server.core.session import Rules
from server.core.visitors import VisitorLimits
from server.store.scripts import Scripts
from server.store.sessions import longest_life_ms
from server.store.visitors import VisitorRecords

KEY = bytes(range(32))


def visitor_records(
    scripts: Scripts, rules: Rules, limits: VisitorLimits | None = None
) -> VisitorRecords:
    """Write with these limits, or the default ones."""
    return VisitorRecords(scripts, KEY, limits or VisitorLimits(), longest_life_ms(rules))
