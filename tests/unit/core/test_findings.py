"""What is wrong with a set-up. On real parts: tests/integration/test_doctor_findings.py."""

from datetime import timedelta
from ipaddress import ip_network

import pytest

from server.core.findings import (
    CLOCKS_APART,
    FEW_FILES,
    SHORTEST_LEASE,
    Finding,
    finding_of_keys,
    findings_of_clock,
    findings_of_files,
    findings_of_lease,
    findings_of_origins,
    findings_of_proxies,
    findings_of_rules,
    findings_of_version,
    flaw_of_kind,
    flaw_of_version,
)
from server.core.session import Rules

DAY = timedelta(days=1)


def settings(findings: list[Finding]) -> list[str]:
    """Return which settings are named."""
    return [each.setting for each in findings]


def test_a_finding_is_a_line_with_its_setting_and_what_is_needed() -> None:
    assert str(Finding("X", "it is 1", "2")) == "warning    X: it is 1; needed: 2"
    assert str(Finding("X", "a", "b", is_problem=True)).startswith("problem    X: ")


def test_rules_that_have_an_effect_are_in_order() -> None:
    assert findings_of_rules(Rules()) == []
    assert findings_of_rules(Rules(idle_timeout=DAY, absolute_timeout=DAY)) == []


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("CURFEW_IDLE_TIMEOUT", Rules(idle_timeout=DAY)),
        ("CURFEW_REMEMBER_IDLE_TIMEOUT", Rules(remember_idle_timeout=31 * DAY)),
        ("CURFEW_ROTATION_INTERVAL", Rules(rotation_interval=DAY)),
        ("CURFEW_ROTATION_GRACE", Rules(rotation_grace=DAY)),
        ("CURFEW_REAUTHENTICATION_WINDOW", Rules(reauthentication_window=DAY)),
    ],
)
def test_a_rule_beyond_the_absolute_timeout_has_none(setting: str, rules: Rules) -> None:
    assert settings(findings_of_rules(rules)) == [setting]


def test_a_lease_has_room_for_two_tries_and_the_watchdog_comes_after_it() -> None:
    tick = timedelta(milliseconds=1)
    assert findings_of_lease(SHORTEST_LEASE, SHORTEST_LEASE + tick) == []
    assert findings_of_lease(SHORTEST_LEASE, None) == []
    assert settings(findings_of_lease(SHORTEST_LEASE - tick, None)) == ["CURFEW_NODE_LEASE"]
    assert settings(findings_of_lease(SHORTEST_LEASE, SHORTEST_LEASE)) == ["CURFEW_WATCHDOG"]


@pytest.mark.parametrize(
    ("origins", "is_default", "proxied", "found"),
    [
        ({"https://a.example", "http://localhost", "http://[::1]:80"}, False, True, 0),
        ({"http://a.example", "http://b.example"}, False, False, 2),
        ({"http://localhost:8888"}, True, False, 0),
        ({"http://localhost:8888"}, True, True, 1),
    ],
)
def test_browsers_can_sign_in_from_an_origin(
    origins: set[str], *, is_default: bool, proxied: bool, found: int
) -> None:
    findings = findings_of_origins(origins, is_default=is_default, proxied=proxied)
    assert settings(findings) == ["CURFEW_ORIGINS"] * found


def test_a_proxy_is_not_everybody() -> None:
    assert findings_of_proxies([ip_network("10.0.0.0/8"), ip_network("::1")]) == []
    assert len(findings_of_proxies([ip_network("0.0.0.0/0"), ip_network("::/0")])) == 2


@pytest.mark.parametrize(("files", "found"), [(FEW_FILES, 0), (FEW_FILES - 1, 1), (-1, 0)])
def test_a_limit_of_files_is_low_below_a_number(files: int, found: int) -> None:
    assert len(findings_of_files(files, 64)) == found


@pytest.mark.parametrize(
    ("version", "found"),
    [("7.2.0", 0), ("7.2.4", 0), ("8.0", 0), ("10.0.1", 0), ("", 0), ("7.0.15", 1), ("6.2.7", 1)],
)
def test_a_redis_before_7_2_is_old(version: str, found: int) -> None:
    assert len(findings_of_version({"redis_version": version} if version else {})) == found


def test_keys_that_open_nothing_are_named_by_their_versions() -> None:
    assert "under key 1, 2, and the keys here are 3;" in str(finding_of_keys([1, 2], [3]))
    assert "under key (unknown)" in str(finding_of_keys([], [3]))


def test_clocks_may_be_a_little_apart() -> None:
    assert findings_of_clock(CLOCKS_APART / 2) == findings_of_clock(-CLOCKS_APART / 2) == []
    assert "ahead of" in str(findings_of_clock(CLOCKS_APART)[0])
    assert "behind" in str(findings_of_clock(-CLOCKS_APART)[0])


@pytest.mark.parametrize("name", ["redis_mode", "server_mode"])
def test_a_sentinel_is_no_store(name: str) -> None:
    told = flaw_of_kind({"redis_version": "7.2.4", name: "sentinel"})
    assert told is not None
    assert "redis+sentinel://host:26379/SERVICE" in told
    assert flaw_of_kind({"redis_version": "7.2.4", name: "standalone"}) is None


@pytest.mark.parametrize(
    ("version", "is_refused"), [("6.2.14", True), ("7.0.0", False), ("8.1", False), ("", False)]
)
def test_a_redis_that_does_not_count_entries_is_refused(version: str, *, is_refused: bool) -> None:
    assert (flaw_of_version({"redis_version": version}) is not None) == is_refused
