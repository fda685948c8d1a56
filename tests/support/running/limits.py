"""Ends a run in which a fixture hangs after its test has failed: a pytest plugin.

pytest limits each test by `faulthandler_timeout`, and lifts the limit when a test fails, for people
who look at it with a debugger. Its fixtures are still to be taken down then, and they may hang.
"""

import faulthandler

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Set the limit anew, where no debugger is going to be opened."""
    seconds = float(node.config.getini("faulthandler_timeout"))
    if isinstance(node, pytest.Item) and not node.config.getoption("usepdb") and seconds:
        faulthandler.dump_traceback_later(
            seconds,
            file=node.config.stash[fault_handler_stderr_fd_key],
            exit=bool(node.config.getini("faulthandler_exit_on_timeout")),
        )
