"""How a command is declared, and how its declaration becomes a parser."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

Run = Callable[..., Any]
"""Runs a command. Each argument of the command comes as the keyword argument of its name."""


class TakesArguments(Protocol):
    """A parser, or a group of arguments in it."""

    def add_argument(self, *names: str, **options: Any) -> object:
        """Add one argument."""


class Argument:
    """One argument of a command.

    Args:
        names: as `ArgumentParser.add_argument` takes them.
        options: likewise.
    """

    def __init__(self, *names: str, **options: Any) -> None:
        self._names = names
        self._options = options

    def add_to(self, parser: TakesArguments) -> None:
        """Add the argument to a parser."""
        parser.add_argument(*self._names, **self._options)


class ExactlyOneOf:
    """Arguments of which a person must give one, and no more.

    Args:
        arguments: the choices.
    """

    def __init__(self, *arguments: Argument) -> None:
        self._arguments = arguments

    def add_to(self, parser: ArgumentParser) -> None:
        """Add the arguments to a parser."""
        group = parser.add_mutually_exclusive_group(required=True)
        for each in self._arguments:
            each.add_to(group)


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: the word to type.
        help: what the command does, in one line.
        run: runs it; the functions of `needs` hand it settings or services.
        arguments: what can be typed after the name.
    """

    name: str
    help: str
    run: Run
    arguments: tuple[Argument | ExactlyOneOf, ...] = ()

    def fill(self, parser: ArgumentParser) -> None:
        """Add the arguments to the command's own parser, and have it choose this command."""
        for each in self.arguments:
            each.add_to(parser)
        parser.set_defaults(run=self.run)


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """Commands that share their first word.

    Attributes:
        name: the first word to type.
        help: what the group is for, in one line.
        commands: the commands, in the order that the help lists them.
    """

    name: str
    help: str
    commands: tuple[Command, ...]

    def fill(self, parser: ArgumentParser) -> None:
        """Add a parser for each command to the group's own parser."""
        names = " | ".join(each.name for each in self.commands)
        subparsers = parser.add_subparsers(required=True, metavar=names)
        for each in self.commands:
            each.fill(subparsers.add_parser(each.name, help=each.help))


def with_runs(
    command: "Command | CommandGroup", make: Callable[[Run], Run]
) -> "Command | CommandGroup":
    """Return a command whose functions are replaced.

    Args:
        command: a command, or commands that share their first word.
        make: returns what takes the place of a function.
    """
    if isinstance(command, Command):
        return replace(command, run=make(command.run))
    inner = (replace(each, run=make(each.run)) for each in command.commands)
    return replace(command, commands=tuple(inner))
