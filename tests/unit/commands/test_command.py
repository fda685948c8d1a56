"""What commands declare fits what runs them, and the parser hands it on."""

import inspect
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator

import pytest

from run import COMMANDS, command_line
from server.commands.command import (
    Argument,
    Command,
    CommandGroup,
    ExactlyOneOf,
    with_runs,
)
from server.commands.keys import add, retire
from server.commands.sessions import end
from server.commands.users import add as add_user


def declared() -> Iterator[tuple[str, Command]]:
    """Yield every command, with the words that name it."""
    for each in COMMANDS:
        if isinstance(each, Command):
            yield each.name, each
        else:
            yield from ((f"{each.name} {command.name}", command) for command in each.commands)


ALL = dict(declared())


@pytest.mark.parametrize("words", ALL)
def test_every_argument_of_a_command_is_a_parameter_of_its_function(words: str) -> None:
    command, parser = ALL[words], ArgumentParser()
    command.fill(parser)
    arguments = {each.dest for each in parser._actions} - {"help"}
    parameters = inspect.signature(command.run).parameters.values()
    assert arguments == {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("line", "function", "arguments"),
    [
        ("user add ada --admin", add_user, {"name": "ada", "admin": True}),
        ("keys add", add, {"last": False}),
        ("keys retire", retire, {"version": None, "force": False}),
        ("keys retire 7 --force", retire, {"version": 7, "force": True}),
        ("sessions end x", end,
         {"sid": "x", "user": None, "everybody": False, "confirmed": False}),
        ("sessions end --user ada", end,
         {"sid": None, "user": "ada", "everybody": False, "confirmed": False}),
        ("sessions end --all --yes", end,
         {"sid": None, "user": None, "everybody": True, "confirmed": True}),
    ],
)  # fmt: skip
def test_a_line_chooses_a_function_and_its_arguments(
    line: str, function: object, arguments: dict[str, object]
) -> None:
    chosen = vars(command_line().parse_args(shlex.split(line)))
    assert inspect.unwrap(chosen.pop("run")) is function
    assert chosen == arguments


def test_a_group_needs_one_of_its_commands_and_names_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = CommandGroup("tea", "", (Command("make", "", print), Command("drink", "", print)))
    parser = ArgumentParser(prog="tea")
    group.fill(parser)
    assert parser.parse_args(["drink"]).run is print
    with pytest.raises(SystemExit):
        parser.parse_args([])
    assert "the following arguments are required: make | drink" in capsys.readouterr().err


def test_functions_are_replaced_in_a_command_and_in_a_group() -> None:
    group = CommandGroup("tea", "", (Command("make", "", print),))
    replaced = with_runs(group, lambda run: str if run is print else run)
    assert isinstance(replaced, CommandGroup)
    assert [each.run for each in replaced.commands] == [str]
    alone = with_runs(Command("drink", "", print), lambda _: str)
    assert isinstance(alone, Command)
    assert alone.run is str


@pytest.mark.parametrize(("words", "accepted"), [("", False), ("-a -b", False), ("-b", True)])
def test_exactly_one_of_several_arguments_is_taken(words: str, *, accepted: bool) -> None:
    parser = ArgumentParser()
    flags = (Argument("-a", action="store_true"), Argument("-b", action="store_true"))
    Command("choose", "", print, (ExactlyOneOf(*flags),)).fill(parser)
    if accepted:
        assert parser.parse_args(words.split()).b
    else:
        with pytest.raises(SystemExit):
            parser.parse_args(words.split())
