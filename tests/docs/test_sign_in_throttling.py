"""The page about throttling against the rules."""

import re
from datetime import timedelta

from server.accounts.throttle import PLACES_PER_ADDRESS
from server.core.throttling import CEILING, FAMILIAR_FOR, LONGEST_DELAY, RULES, CounterKind, Rule
from tests.docs.markdown import code, page, table

PAGE = page("docs/howto/sign-in-throttling.md")
WORDS = {"a second": 1, "1 s": 1, "a minute": 60, "3.6 s": 3.6}
AS_ACCOUNT = "as `account`"


def test_every_counter_is_on_the_page_with_its_first_step_and_no_other() -> None:
    rows = {CounterKind(code(row[0])[0]): row for row in table(PAGE, "counter")}
    assert set(rows) == set(CounterKind)
    for kind, row in rows.items():
        number = re.match(r"(\d+) (failures|names|accounts)$", row[2])
        assert number, kind
        assert int(number[1]) == RULES[kind].steps[0].tries, kind
        if row[3] == AS_ACCOUNT:
            assert delays(RULES[kind]) == delays(RULES[CounterKind.ACCOUNT]), kind
        else:
            said = next(seconds for word, seconds in WORDS.items() if row[3].startswith(word))
            assert timedelta(seconds=said) == RULES[kind].steps[0].delay, kind
            assert (len(RULES[kind].steps) == 1) == (kind is not CounterKind.ACCOUNT), kind


def delays(rule: Rule) -> list[timedelta]:
    """Of its steps."""
    return [step.delay for step in rule.steps]


def test_the_other_numbers_on_the_page_are_those_of_the_rules() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"at most {LONGEST_DELAY // timedelta(minutes=1)} minutes" in text
    assert f"from {CEILING.tries} on an hour" in text
    assert timedelta(hours=1) == CEILING.delay
    assert f"during the last {FAMILIAR_FOR.days} days" in text
    assert f"at most {PLACES_PER_ADDRESS} of them from one address" in text
    by_day = [kind for kind in CounterKind if RULES[kind].forgets == timedelta(days=1)]
    assert {RULES[kind].pardons for kind in by_day} == {True}
    (line,) = re.findall(r"A failure at (.*?) is forgotten after a day", text)
    assert set(code(line)) == set(by_day)
