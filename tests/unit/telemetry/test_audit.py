"""The lines of the audit trail: names, levels, who and where, and what no client can do to them."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from server.core.activity import ActivityEntry
from server.core.audit import MAX_FACT, AuditEvent, Level, level_of
from server.core.log_rate_limit import BURST, TELL_EVERY
from server.telemetry.audit import NOBODY, Audit, AuditSource
from server.telemetry.log_format import ConsoleFormatter, JsonFormatter

HOSTILE = (
    "Fox\r\n2030-01-01 INFO forged\x1b[2J\x1b]0;title\x07\u2028\u202etxt.exe\x00" + "A" * 10_000
)
OF_THE_VOCABULARY = {
    "authn_login_success": "info",
    "authn_login_fail": "warning",
    "authn_login_fail_max": "warning",
    "authn_password_change": "info",
    "authn_password_change_fail": "critical",
    "authn_token_reuse": "critical",
    "authz_fail": "critical",
    "authz_admin": "warning",
    "crypt_decrypt_fail": "warning",
    "excess_rate_limit_exceeded": "warning",
    "malicious_cors": "critical",
    "malicious_direct_reference": "critical",
    "session_created": "info",
    "session_renewed": "info",
    "session_expired": "info",
    "session_use_after_expire": "critical",
    "user_created": "warning",
    "user_updated": "warning",
}


class Trail(logging.Handler):
    """An audit trail whose lines are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.kept: list[tuple[str, ActivityEntry]] = []
        self.counted: list[AuditEvent] = []
        self.time = 0.0
        self.audit = Audit(
            lambda: 1_800_000_000.0,
            lambda: self.time,
            self.counted.append,
        )
        self.audit.subscribe(lambda user, activity: self.kept.append((user, activity)))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines, read."""
        return [json.loads(JsonFormatter().format(each)) for each in self.records]


@pytest.fixture
def trail() -> Iterator[Trail]:
    logger = logging.getLogger("curfew.audit")
    trail, level = Trail(), logger.level
    logger.addHandler(trail)
    logger.setLevel(logging.INFO)
    yield trail
    trail.audit.set_source(NOBODY)
    logger.removeHandler(trail)
    logger.setLevel(level)


@pytest.mark.proves("16.3.1")
def test_words_of_the_vocabulary_have_its_levels() -> None:
    events = {event.value: level_of(event).value for event in AuditEvent}
    assert OF_THE_VOCABULARY.items() <= events.items()


@pytest.mark.parametrize("event", AuditEvent)
@pytest.mark.proves("16.2.1", "16.2.2")
def test_a_line_says_what_when_whose_and_from_where(trail: Trail, event: AuditEvent) -> None:
    trail.audit.set_source(AuditSource(user="ada", ip="192.0.2.1", device="a browser"))
    trail.audit.record(event, user="ada", sid="00abc", why="because")
    (line,) = trail.lines()
    assert line.pop("time").endswith("+00:00")
    assert line.pop("level") == level_of(event)
    assert line == {
        "logger": "curfew.audit",
        "message": event.value,
        "event": event.value,
        "user": "ada",
        "sid": "00abc",
        "ip": "192.0.2.1",
        "device": "a browser",
        "why": "because",
    }


def test_a_line_says_who_acted_on_another_persons_account(trail: Trail) -> None:
    trail.audit.set_source(AuditSource(user="root", ip="192.0.2.9", administrator=True))
    trail.audit.record(AuditEvent.PASSWORD_CHANGED, user="ada")
    (line,) = trail.lines()
    assert (line["user"], line["actor"]) == ("ada", "root")


@pytest.mark.proves("A82b", "16.4.1")
def test_nothing_that_a_client_says_forges_or_fills_a_line(trail: Trail) -> None:
    trail.audit.set_source(AuditSource(ip="192.0.2.1", device=HOSTILE))
    trail.audit.record(AuditEvent.LOGIN_FAIL, user=HOSTILE, origin=HOSTILE)
    (record,) = trail.records
    as_json, console = JsonFormatter().format(record), ConsoleFormatter().format(record)
    for line in (as_json, console):
        assert line.isprintable()
        assert len(line) < 6 * 3 * MAX_FACT
    assert json.loads(as_json)["device"] == HOSTILE[: MAX_FACT - 1] + "…"


@pytest.mark.parametrize("name", ["name", "args", "message", "levelname", "exc_info", "event_"])
def test_no_name_of_a_fact_makes_it_fail(trail: Trail, name: str) -> None:
    facts: dict[str, Any] = {name: "x"}
    trail.audit.record(AuditEvent.ADMIN_ACT, **facts)
    assert "x" in trail.lines()[0].values()


@pytest.mark.proves("16.4.2")
def test_a_flood_of_forged_cookies_is_counted_and_not_written(trail: Trail) -> None:
    for _ in range(5000):
        trail.audit.record(AuditEvent.COOKIE_REFUSED, ip="192.0.2.1", why="forged")
    assert len(trail.records) == BURST
    assert len(trail.counted) == 5000
    trail.time = TELL_EVERY
    trail.audit.record(AuditEvent.COOKIE_REFUSED, why="forged")
    told = trail.lines()[BURST]
    assert told["message"] == "lines left out"
    assert (told["event"], told["count"]) == ("malicious_cookie", 5000 - BURST)
    assert trail.lines()[BURST + 1]["message"] == "malicious_cookie"


def test_a_flood_of_one_user_leaves_the_lines_of_another(trail: Trail) -> None:
    for _ in range(2 * BURST):
        trail.audit.record(AuditEvent.SESSION_RENEWED, user="mallory", sid="00m")
    trail.audit.record(AuditEvent.SESSION_RENEWED, user="ada", sid="00a")
    assert trail.lines()[-1]["user"] == "ada"
    trail.audit.report_left_out(closing=True)
    assert trail.lines()[-1]["user"] == "mallory"


def test_made_up_names_do_not_multiply_what_a_stranger_can_write(trail: Trail) -> None:
    for number in range(10 * BURST):
        trail.audit.record(AuditEvent.LOGIN_THROTTLED, user=f"name-{number}")
    assert len(trail.records) == BURST


def test_the_owner_is_shown_also_what_no_line_was_left_for(trail: Trail) -> None:
    for _ in range(2 * BURST):
        trail.audit.record(AuditEvent.LOGIN_FAIL, user="ada", ip="192.0.2.1")
    assert len(trail.kept) == 2 * BURST


def test_every_event_has_a_level() -> None:
    assert {level_of(event) for event in AuditEvent} == set(Level)
