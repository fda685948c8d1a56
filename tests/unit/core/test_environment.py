"""Variables as values; what each setting takes and refuses: tests/unit/test_settings.py."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

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


def test_a_duration_that_may_be_off_says_so_when_it_is_neither() -> None:
    assert Environment({"X": "off"}).duration_or_off("X", "1s") is None
    assert Environment({}).duration_or_off("X", "off") is None
    assert Environment({}).duration_or_off("X", "1s") == timedelta(seconds=1)
    with pytest.raises(ConfigurationError, match="X is 'none'; it takes off, or a duration such"):
        Environment({"X": "none"}).duration_or_off("X", "1s")


def test_a_reader_knows_what_it_was_asked_for() -> None:
    read = Environment({"UNREAD": "1"})
    read.integer("X", 1, 0, 9)
    read.choice("Y", "a", "a", "b")
    assert read.names == {"X", "Y"}


def test_values_are_read_without_the_spaces_around_them() -> None:
    read = Environment({
        "WHOLE": " 9 ", "CHOICE": " open ", "ORIGINS": "https://a.example , http://[::1]:8080",
        "NETWORKS": " 10.0.0.0/8, ::1 ,", "COOKIE": " __Host-app_1 ",
    })  # fmt: skip
    assert read.integer("WHOLE", 1, 0, 9) == 9
    assert read.choice("CHOICE", "closed", "closed", "open") == "open"
    assert read.origins("ORIGINS", "") == {"https://a.example", "http://[::1]:8080"}
    assert read.networks("NETWORKS") == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert read.cookie_name("COOKIE", "app") == "__Host-app_1"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("-1", lambda read: read.integer("X", 1, 0, 9)),
        ("10", lambda read: read.integer("X", 1, 0, 9)),
        ("1.0", lambda read: read.integer("X", 1, 0, 9)),
        ("9" * 5000, lambda read: read.integer("X", 1, 0, 9)),
        ("0", lambda read: read.integer("X", 1, 1, 9)),
        ("5", lambda read: read.duration("X", "1s")),
        ("1d", lambda read: read.duration("X", "1s")),
        ("Open", lambda read: read.choice("X", "closed", "closed", "open")),
        ("https://a.example/", lambda read: read.origins("X", "")),
        ("https://a.example,,", lambda read: read.origins("X", "")),
        ("10.0.0.1/8", lambda read: read.networks("X")),
        ("proxy.example", lambda read: read.networks("X")),
        ("a b", lambda read: read.cookie_name("X", "app")),
        ("a" * 65, lambda read: read.cookie_name("X", "app")),
    ],
)
def test_every_other_value_is_refused_by_the_name_of_its_variable(
    text: str, read: Callable[[Environment], object]
) -> None:
    with pytest.raises(ConfigurationError, match=r"^X is "):
        read(Environment({"X": text}))


def test_a_refusal_names_the_variable_what_it_got_and_what_it_takes() -> None:
    assert str(refusal("X", "a\nb", "a word")) == r"X is 'a\nb'; it takes a word."
