"""Settings of an application: read by their annotations, refused in the same words as ours."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from server.core.errors import ConfigurationError
from server.core.own_settings import SECRET, Bounds, flaw_of_prefix, read_own_settings


class Colour(Enum):
    """What an enumeration may look like."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Options:
    """One field of each kind."""

    title: str = "Huddle"
    rooms: Annotated[int, Bounds(1, 10)] = 5
    share: float = 0.5
    is_open: bool = True
    quiet: timedelta = timedelta(minutes=10)
    folder: Path | None = None
    colour: Colour = Colour.RED
    kind: Literal["small", "large"] = "small"
    hosts: tuple[str, ...] = ()
    token: Annotated[str, SECRET] = field(default="", repr=False)
    pin: Annotated[int, SECRET, Bounds(0, 9999)] = 0


def read(**variables: str) -> Options:
    return read_own_settings(Options, "HUDDLE_", {f"HUDDLE_{k}": v for k, v in variables.items()})


def test_without_variables_the_defaults_are_used() -> None:
    assert read() == Options()
    assert read(ROOMS=" ") == Options()


def test_each_kind_is_read() -> None:
    given = read(
        TITLE="Rooms", ROOMS="7", SHARE="0.25", IS_OPEN="no", QUIET="5m", FOLDER="/srv",
        COLOUR="blue", KIND="large", HOSTS="a, b,", TOKEN="x", PIN="12",
    )  # fmt: skip
    assert given == Options(
        "Rooms", 7, 0.25, False, timedelta(minutes=5), Path("/srv"), Colour.BLUE, "large",
        ("a", "b"), "x", 12,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ROOMS", "11", "HUDDLE_ROOMS is '11'; it takes a whole number from 1 to 10."),
        ("ROOMS", "many", "HUDDLE_ROOMS is 'many'; it takes a whole number."),
        ("SHARE", "nan", "HUDDLE_SHARE is 'nan'; it takes a number."),
        ("IS_OPEN", "maybe", "HUDDLE_IS_OPEN is 'maybe'; it takes yes or no."),
        ("QUIET", "soon", "HUDDLE_QUIET is 'soon'; it takes a duration such as"),
        ("COLOUR", "green", "HUDDLE_COLOUR is 'green'; it takes red or blue."),
        ("KIND", "tiny", "HUDDLE_KIND is 'tiny'; it takes small or large."),
        ("ROMS", "3", "There is no setting HUDDLE_ROMS; the nearest one is HUDDLE_ROOMS. Options"),
        ("rooms", "3", "There is no setting HUDDLE_rooms; write HUDDLE_ROOMS."),
    ],
)
def test_what_is_wrong_is_told_in_one_line(name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(**{name: value})
    assert str(refused.value).startswith(told)


def test_a_choice_is_the_value_that_was_declared_and_not_its_word() -> None:
    class Size(Enum):
        SMALL = 1
        LARGE = 2

    @dataclass(frozen=True)
    class Numbers:
        size: Size = Size.SMALL
        columns: Literal[1, 2] = 1

    given = read_own_settings(Numbers, "HUDDLE_", {"HUDDLE_SIZE": "2", "HUDDLE_COLUMNS": "2"})
    assert given == Numbers(Size.LARGE, 2)
    with pytest.raises(ConfigurationError, match="HUDDLE_SIZE is '3'; it takes 1 or 2"):
        read_own_settings(Numbers, "HUDDLE_", {"HUDDLE_SIZE": "3"})


def test_a_misspelt_prefix_is_told_too() -> None:
    with pytest.raises(ConfigurationError, match="no setting HUDLE_ROOMS"):
        read_own_settings(Options, "HUDDLE_", {"HUDLE_ROOMS": "3"})


def test_variables_of_others_and_of_clusters_are_left_alone() -> None:
    others = {
        "CURFEW_PORT": "1", "PATH": "/bin", "HUDDLE_PORT_80_TCP_ADDR": "10.0.0.1",
        "HUDDLE_SERVICE_HOST": "10.0.0.1", "HUDDLE_PORT": "tcp://10.0.0.1:80",
    }  # fmt: skip
    assert read_own_settings(Options, "HUDDLE_", others) == Options()


@pytest.mark.parametrize(("name", "value"), [("PIN", "hunter2"), ("PIN", "123456789")])
def test_the_value_of_a_secret_is_in_no_line(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(**{name: value})
    assert value not in str(refused.value)
    assert "HUDDLE_PIN" in str(refused.value)


def test_what_has_no_default_must_be_set() -> None:
    @dataclass
    class Needs:
        database: str

    with pytest.raises(ConfigurationError, match="HUDDLE_DATABASE is not set"):
        read_own_settings(Needs, "HUDDLE_", {})


def test_a_dataclass_may_compare_its_fields() -> None:
    @dataclass
    class Range:
        least: int = 1
        most: int = 2

        def __post_init__(self) -> None:
            if self.least > self.most:
                raise ValueError("least is more than most")

    with pytest.raises(ConfigurationError, match="least is more than most"):
        read_own_settings(Range, "HUDDLE_", {"HUDDLE_LEAST": "3"})


def test_a_declaration_that_no_variable_can_hold_is_a_mistake_in_the_program() -> None:
    @dataclass
    class Odd:
        thing: Any = None

    for kind in (Odd, object):
        with pytest.raises(TypeError):
            read_own_settings(kind, "HUDDLE_", {})


def test_without_settings_a_variable_under_the_prefix_is_refused() -> None:
    @dataclass
    class Empty:
        pass

    with pytest.raises(ConfigurationError, match="no setting HUDDLE_X; there are none"):
        read_own_settings(Empty, "HUDDLE_", {"HUDDLE_X": "1"})


@pytest.mark.parametrize("prefix", ["HUDDLE_", "CURFEW_APP_", "A1_"])
def test_a_prefix_may_be_used(prefix: str) -> None:
    assert flaw_of_prefix(prefix) is None


@pytest.mark.parametrize("prefix", ["", "HUDDLE", "huddle_", "CURFEW_", "CURFEW_X_", "1A_", "_"])
def test_a_prefix_is_refused_with_a_sentence(prefix: str) -> None:
    assert repr(prefix) in (flaw_of_prefix(prefix) or "")
