"""The session rules, as environment variables state them."""

from datetime import timedelta

import pytest

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.core.rule_settings import read_rules, read_sign_up_limits, read_visitor_limits
from server.core.session import Rules
from server.core.throttling import SIGN_UP_LIMITS
from server.core.visitors import VISITOR_LIMITS


def test_the_defaults_are_those_of_the_types() -> None:
    nothing = Environment({})
    assert read_rules(nothing) == Rules()
    assert read_sign_up_limits(nothing) == SIGN_UP_LIMITS
    assert read_visitor_limits(nothing) == VISITOR_LIMITS


def test_each_rule_is_read_from_its_variable() -> None:
    given = Environment({"CURFEW_REMEMBER_IDLE_TIMEOUT": "24h", "CURFEW_SECOND_FACTOR": "required"})
    rules = read_rules(given)
    assert rules.remember_idle_timeout == timedelta(days=1)
    assert rules.second_factor_required


def test_a_wrong_value_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match="CURFEW_REMEMBER_ABSOLUTE_TIMEOUT is 'x'"):
        read_rules(Environment({"CURFEW_REMEMBER_ABSOLUTE_TIMEOUT": "x"}))
