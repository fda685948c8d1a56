"""The list that an account's owner is shown: what is in it, and who cannot push what out."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.core.activity import (
    FAILURES,
    MAX_ENTRIES,
    MAX_FAILURES,
    NEAR_SECONDS,
    SHOWN,
    ActivityEntry,
    activity_of,
    add,
)
from server.core.audit import AuditEntry, AuditEvent
from server.core.reasons import Reason

SIGNED_IN = AuditEntry(AuditEvent.LOGIN_SUCCESS, 100.0, "ada", ip="192.0.2.1", device="a browser")


def entry(
    event: AuditEvent = AuditEvent.LOGIN_SUCCESS, at: float = 0.0, ip: str = ""
) -> ActivityEntry:
    """One that happened once."""
    return ActivityEntry(event, at, at, ip=ip)


def listed(*entries: ActivityEntry) -> tuple[ActivityEntry, ...]:
    """The list after all of these, in their order."""
    found: tuple[ActivityEntry, ...] = ()
    for each in entries:
        found = add(found, each)
    return found


def test_an_owner_is_shown_what_where_from_and_when() -> None:
    assert activity_of(SIGNED_IN) == ActivityEntry(
        AuditEvent.LOGIN_SUCCESS, 100.0, 100.0, ip="192.0.2.1", device="a browser"
    )


def test_an_owner_is_not_shown_where_an_administrator_sits() -> None:
    shown = activity_of(replace(SIGNED_IN, event=AuditEvent.PASSWORD_CHANGED, actor="root"))
    assert shown is not None
    assert (shown.administrator, shown.ip, shown.device) == (True, "", "")


def test_what_concerns_nobody_or_only_the_operator_is_not_shown() -> None:
    assert activity_of(replace(SIGNED_IN, user="")) is None
    for event in set(AuditEvent) - SHOWN:
        assert activity_of(replace(SIGNED_IN, event=event)) is None


def test_a_reused_token_is_shown_once() -> None:
    facts = {"reason": Reason.TOKEN_REUSE.value}
    assert activity_of(replace(SIGNED_IN, event=AuditEvent.SESSION_ENDED, facts=facts)) is None
    assert activity_of(replace(SIGNED_IN, event=AuditEvent.TOKEN_REUSE)) is not None


def test_the_newest_stands_first() -> None:
    assert [each.at for each in listed(entry(at=1.0, ip="a"), entry(at=2.0, ip="b"))] == [2.0, 1.0]


def test_entries_alike_are_added_up() -> None:
    found = listed(*(entry(AuditEvent.LOGIN_FAIL, at, "192.0.2.1") for at in (1.0, 2.0, 3.0)))
    assert found == (
        ActivityEntry(AuditEvent.LOGIN_FAIL, at=3.0, since=1.0, count=3, ip="192.0.2.1"),
    )


def test_entries_of_different_days_are_not_added_up() -> None:
    assert len(listed(entry(at=0.0), entry(at=NEAR_SECONDS + 1))) == 2


def test_failures_from_a_thousand_addresses_push_nothing_else_out_and_are_all_counted() -> None:
    own = [entry(at=float(day) * 86_400, ip="home") for day in range(30)]
    attack = [entry(AuditEvent.LOGIN_FAIL, 3e6 + n, ip=f"10.0.{n}") for n in range(1000)]
    found = listed(*own, *attack)
    assert [each for each in found if each.ip == "home"] == own[::-1]
    failures = [each for each in found if each.event in FAILURES]
    assert len(failures) == MAX_FAILURES
    assert sum(each.count for each in failures) == 1000
    assert failures[-1].since == 3e6
    assert failures[-1].ip == ""


def test_signing_in_and_out_all_the_time_pushes_nothing_out() -> None:
    events = [AuditEvent.LOGIN_SUCCESS, AuditEvent.SESSION_ENDED] * 200
    found = listed(entry(AuditEvent.PASSWORD_CHANGED), *(entry(each, 1.0) for each in events))
    assert [each.count for each in found] == [200, 200, 1]


@given(
    st.lists(
        st.builds(
            ActivityEntry,
            st.sampled_from(sorted(SHOWN)),
            st.floats(0, 1e9),
            st.just(0.0),
            st.integers(1, 3),
            ip=st.sampled_from(["", "a", "b"]),
        ),
        max_size=120,
    )
)
def test_the_list_is_bounded_whatever_happens(entries: list[ActivityEntry]) -> None:
    found = listed(*entries)
    assert len(found) <= MAX_ENTRIES
    assert sum(each.event in FAILURES for each in found) <= MAX_FAILURES
    if len({(each.event, each.ip) for each in entries}) < MAX_FAILURES and len(entries) <= 15:
        assert sum(each.count for each in found) == sum(each.count for each in entries)
