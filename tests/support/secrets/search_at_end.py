"""Fails a run in which the program wrote a secret: a plugin of pytest.

Every process that ran tests searches what it saw, when its last fixtures are gone. One that ended
without a word has searched nothing, which fails the run as well.
"""

from typing import Any

import pytest

from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.listening import listen
from tests.support.servers.server import RUNNING

LEAKED = 10
"""The status of a run that wrote a secret, or was not searched; pytest's own end at 5."""
_told = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Listen to all clients from the first test on."""
    config.stash[_told] = []
    listen(SEARCH)


def pytest_testnodedown(node: Any) -> None:
    """A process has ended; its output is None when it broke down."""
    output = getattr(node, "workeroutput", None)
    silence = f"{node.gateway.id} ended before it searched what its tests wrote"
    node.config.stash[_told] += (output or {}).get("secrets", [silence])


@pytest.hookimpl(trylast=True)  # behind the end of the last fixtures
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search, and tell who answers for the run."""
    for running in RUNNING:
        running.tell()
    told = session.config.stash[_told]
    told += [f"{each.kind}, in {each.place}" for each in SEARCH.findings()]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["secrets"] = told
    elif session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        if told:
            session.exitstatus = LEAKED
        elif _is_unread(session.config):
            session.exitstatus = pytest.ExitCode.INTERRUPTED


def _is_unread(config: pytest.Config) -> bool:
    """Whether some file of tests could not be read; pytest-xdist takes that for a failed test."""
    reporter: pytest.TerminalReporter = config.pluginmanager.getplugin("terminalreporter")
    return any(isinstance(each, pytest.CollectReport) for each in reporter.stats.get("error", []))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was found, and where."""
    if told := config.stash[_told]:
        terminalreporter.section("secrets that were written", red=True, bold=True)
        for each in told:
            terminalreporter.line(each)
