"""Variables as values; what each setting takes and refuses: tests/unit/test_settings.py."""

from datetime import timedelta

import pytest

from server.core.environment import Environment, refusal
from server.core.errors import ConfigurationError


def test_an_empty_variable_counts_as_not_set() -> None:
    for variables in ({}, {"X": ""}, {"X": " \t"}):
        assert Environment(variables).text("X", "default") == "default"
        assert Environment(variables).integer("X", 7, 0, 9) == 7
        assert Environment(variables).networks("X") == ()
    assert Environment({"X": " word "}).text("X", "default") == "word"


@pytest.mark.parametrize("text", ["1ms", "400h", "0.001s", "9600h"])
def test_a_duration_is_from_a_millisecond_to_400_days(text: str) -> None:
    read = Environment({"X": text})
    assert timedelta(milliseconds=1) <= read.duration("X", "1s") <= timedelta(days=400)


@pytest.mark.parametrize("text", ["0.9ms", "9600.1h"])
def test_a_duration_beyond_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Environment({"X": text}).duration("X", "1s")


def test_a_refusal_names_the_variable_what_it_got_and_what_it_takes() -> None:
    assert str(refusal("X", "a\nb", "a word")) == r"X is 'a\nb'; it takes a word."
