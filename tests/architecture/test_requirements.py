"""Every file of pinned packages agrees with the one that the program is installed from."""

import re

import pytest

from tests.support.servers.server import ROOT

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


FILES = (
    *("requirements.in", "requirements-dev.txt", "requirements-traces.txt"),
    "benchmarks/requirements.txt",
)


def pins(name: str) -> dict[str, str]:
    """Return the versions in a file, by package as PyPI normalizes its name (PEP 503)."""
    pinned = PINNED.findall((ROOT / name).read_text("utf-8"))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pinned}


@pytest.mark.parametrize("name", FILES)
def test_what_the_program_is_installed_with_is_pinned_alike(name: str) -> None:
    installed, others = pins("requirements.txt"), pins(name)
    fewer, more = sorted((others, installed), key=len)
    assert fewer
    assert fewer.items() <= more.items(), "run `make requirements`"
