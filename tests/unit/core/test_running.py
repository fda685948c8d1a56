"""How a server runs, from its variables."""

import logging
from datetime import timedelta

import pytest

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.core.running import Running, read_running


def running(*, behind_proxies: bool = False, **variables: str) -> Running:
    """Read these variables, without their prefix and in lower case."""
    return read_running(
        Environment({f"CURFEW_{name.upper()}": value for name, value in variables.items()}),
        behind_proxies=behind_proxies,
    )


def test_metrics_have_no_port_of_their_own_unless_one_is_set() -> None:
    assert running().metrics_port is None
    assert running(metrics_port="9100").metrics_port == 9100
    with pytest.raises(ConfigurationError, match="CURFEW_METRICS_PORT is '0'"):
        running(metrics_port="0")


def test_the_loop_is_one_of_two_or_what_is_installed() -> None:
    assert running().event_loop == "auto"
    assert running(event_loop="asyncio").event_loop == "asyncio"
    with pytest.raises(ConfigurationError, match="takes auto or uvloop or asyncio"):
        running(event_loop="Uvloop")


def test_a_log_has_the_lines_from_a_level_on() -> None:
    assert running().log_level == logging.INFO
    assert running(log_level="debug").log_level == logging.DEBUG
    assert running(log_level="error").log_level == logging.ERROR
    with pytest.raises(ConfigurationError, match="CURFEW_LOG_LEVEL is 'loud'"):
        running(log_level="loud")


def test_balancers_are_given_time_to_notice_a_stop() -> None:
    assert running().drain_notice == timedelta()
    assert running(behind_proxies=True).drain_notice == timedelta(seconds=2)
    assert running(behind_proxies=True, drain_notice="off").drain_notice == timedelta()
    assert running(drain_notice="10s").drain_notice == timedelta(seconds=10)
    with pytest.raises(ConfigurationError, match="CURFEW_DRAIN_NOTICE is '0s'; it takes off, or a"):
        running(drain_notice="0s")
    assert running(drain_notice="10s").longest_drain == timedelta(seconds=55)
