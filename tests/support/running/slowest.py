"""Says at the end of a long run which files of tests took the longest: a pytest plugin.

Whoever adds tests sees there what they cost. A file among the first that is not in `LONGEST` of
tests/conftest.py may be the one that all other processes wait for at the end.
"""

from collections import Counter

import pytest

FILES = 10
"""How many are named."""
LONG_RUN = 50
"""Files; a shorter run was chosen by somebody who knows what is in it."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the slowest files, with the seconds of all their tests and fixtures."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for each in reports:
            if isinstance(each, pytest.TestReport):
                seconds[each.nodeid.partition("::")[0]] += each.duration  # type: ignore[assignment]
    if len(seconds) > LONG_RUN:
        terminalreporter.section(f"slowest {FILES} of {len(seconds)} files")
        for file, spent in seconds.most_common(FILES):
            terminalreporter.write_line(f"{spent:7.1f} s  {file}")
