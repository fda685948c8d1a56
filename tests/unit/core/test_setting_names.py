"""Names of settings: which variables are none, and what is said of them."""

import re
from collections.abc import Mapping

import pytest

from server.core.errors import ConfigurationError
from server.core.setting_names import OF_APPLICATIONS, OF_TOOLS, is_link, refuse_unknown
from settings import names_of_settings
from tests.support.servers.server import ROOT

SETTINGS = names_of_settings()


def refusal(variables: Mapping[str, str]) -> str:
    """Return the one line with which the variables are refused."""
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown(variables, SETTINGS)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CURFEW_IDEL_TIMEOUT", "CURFEW_IDLE_TIMEOUT"),
        ("CURFEW_SECRET_KEY", "CURFEW_SECRET_KEYS"),
        ("CURFEW_REDIS_URL", "CURFEW_STORE_URL"),
        ("CURFEW_TRUSTED_PROXY", "CURFEW_TRUSTED_PROXIES"),
        ("CURFEW_DATADIR", "CURFEW_DATA_DIR"),
        ("CURFEW__PORT", "CURFEW_PORT"),
        ("CURFEW-PORT", "CURFEW_PORT"),
        ("CURFW_PORT", "CURFEW_PORT"),
        ("CUFREW_ORIGIN", "CURFEW_ORIGINS"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_setting(name: str, nearest: str) -> None:
    line = refusal({name: "hush", "HOME": "/root"})
    assert line.startswith(f"There is no setting {name}; the nearest one is {nearest}.")
    assert "docs/settings.md" in line
    assert "hush" not in line


def test_a_setting_in_other_letters_is_one_that_nobody_reads() -> None:
    assert "CURFEW_Port; write CURFEW_PORT." in refusal({"CURFEW_Port": "80"})
    assert "curfew_port; write CURFEW_PORT." in refusal({"curfew_port": "80"})


def test_a_far_off_name_is_refused_too_and_all_of_them_are_named() -> None:
    line = refusal({"CURFEW_QQQ": "1", "CURFEW_PROT": "80", "CURFEW_PORT": "80"})
    assert line.index("CURFEW_PROT; the nearest one is CURFEW_PORT") < line.index("CURFEW_QQQ; the")


def test_a_name_cannot_break_the_line() -> None:
    assert "\\n" in refusal({"CURFEW_A\nB": "1"})


@pytest.mark.parametrize(
    "variables",
    [
        dict.fromkeys(SETTINGS, "1"),
        dict.fromkeys(OF_TOOLS, "1"),
        {"CURFEW_IDEL_TIMEOUT": " "},
        {"CURFEW_APP_COLOUR": "red", "CURFEW": "http://127.0.0.1:8888"},
        {"CURRENT_PORT": "1", "CURL_HOST": "1", "CURSES_LOG_FILE": "1", "CURFEWS": "1"},
        {"CURFEW_SERVICE_HOST": "10.0.0.1", "CURFEW_SERVICE_PORT": "80"},
        {"CURFEW_PORT_8888_TCP": "tcp://10.0.0.1:8888", "CURFEW_PORT_8888_TCP_ADDR": "10.0.0.1"},
        {"CURFEW_WEB_PORT": "tcp://10.0.0.1:80", "CURFEW_WEB_SERVICE_PORT_HTTP": "80"},
    ],
    ids=min,
)
def test_other_variables_are_left_alone(variables: Mapping[str, str]) -> None:
    refuse_unknown(variables, SETTINGS)


def test_what_a_cluster_sets_is_told_from_a_port() -> None:
    assert is_link("CURFEW_PORT", "tcp://10.0.0.1:80")
    assert not is_link("CURFEW_PORT", "80")
    assert "CURFEW_WEB_PORT" in refusal({"CURFEW_WEB_PORT": "80"})


def test_no_setting_takes_the_names_that_applications_have() -> None:
    assert [name for name in SETTINGS | OF_TOOLS if name.startswith(OF_APPLICATIONS)] == []


def test_every_variable_that_the_project_names_is_known() -> None:
    """A variable of a tool that nobody noted here would stop the servers that it starts."""
    folders = ("benchmarks", "examples", "handlers", "server", "tests/support", "tests/simulation")
    paths = [path for each in folders for path in (ROOT / each).rglob("*") if path.is_file()]
    paths += [ROOT / name for name in ("Makefile", "run.py", "settings.py", ".ci/run", "README.md")]
    named = {
        name
        for path in paths
        if path.suffix not in {".pyc", ".png", ".webp", ".xz"} and "node_modules" not in path.parts
        for name in re.findall(r"\bCURFEW_[A-Z_]*[A-Z]\b", path.read_text("utf-8"))
    }
    in_examples_of_names = {"CURFEW_APP", "CURFEW_WEB_PORT"}
    assert named - in_examples_of_names <= SETTINGS | OF_TOOLS
