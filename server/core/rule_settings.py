"""Reads the session rules, and the limits on strangers, from environment variables.

docs/settings.md gives the reason for each default.
"""

from server.core.environment import Environment
from server.core.session import Rules
from server.core.throttling import SignUpLimits
from server.core.visitors import VisitorLimits


def read_rules(read: Environment) -> Rules:
    """Return the durations, limits and demands of the session policy.

    Raises:
        ConfigurationError: a value is wrong.
    """
    return Rules(
        idle_timeout=read.duration("CURFEW_IDLE_TIMEOUT", "30m"),
        absolute_timeout=read.duration("CURFEW_ABSOLUTE_TIMEOUT", "12h"),
        remember_idle_timeout=read.duration("CURFEW_REMEMBER_IDLE_TIMEOUT", "168h"),
        remember_absolute_timeout=read.duration("CURFEW_REMEMBER_ABSOLUTE_TIMEOUT", "720h"),
        rotation_interval=read.duration("CURFEW_ROTATION_INTERVAL", "15m"),
        rotation_grace=read.duration("CURFEW_ROTATION_GRACE", "30s"),
        reauthentication_window=read.duration("CURFEW_REAUTHENTICATION_WINDOW", "5m"),
        touch_interval=read.duration("CURFEW_TOUCH_INTERVAL", "30s"),
        max_sessions_per_user=read.integer("CURFEW_MAX_SESSIONS_PER_USER", 10, 1, 1000),
        second_factor_required=read.choice(
            "CURFEW_SECOND_FACTOR", "optional", "optional", "required"
        )
        == "required",
    )


def read_sign_up_limits(read: Environment) -> SignUpLimits:
    """Return how many accounts people may make. Raises as `read_rules`."""
    return SignUpLimits(
        per_address=read.integer("CURFEW_SIGNUPS_PER_ADDRESS", 60, 1, 1_000_000),
        in_all=read.integer("CURFEW_SIGNUPS_IN_ALL", 1000, 1, 1_000_000),
    )


def read_visitor_limits(read: Environment) -> VisitorLimits:
    """Return how much visitors without an account may keep. Raises as `read_rules`."""
    return VisitorLimits(
        sessions_per_address=read.integer("CURFEW_ANONYMOUS_PER_ADDRESS", 1000, 1, 10_000_000),
        bytes_per_address=read.integer("CURFEW_ANONYMOUS_MIB_PER_ADDRESS", 8, 1, 100_000) * 2**20,
        sessions_in_all=read.integer("CURFEW_ANONYMOUS_IN_ALL", 50_000, 1, 10_000_000),
        bytes_in_all=read.integer("CURFEW_ANONYMOUS_MIB_IN_ALL", 64, 1, 100_000) * 2**20,
    )
