"""Lets a run of tests start Curfew by a fork server: a pytest plugin."""

import os

from tests.support.servers.forks import FORKS

MEASURING = "COVERAGE_PROCESS_CONFIG"
"""What `coverage` tells the programs that are started; a fork would note nothing."""


def pytest_configure() -> None:
    """Use it from the first test on."""
    FORKS.is_used = MEASURING not in os.environ


def pytest_unconfigure() -> None:
    """End it."""
    FORKS.close()
