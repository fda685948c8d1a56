"""Ask before a command does what cannot be undone."""

import sys

from server.commands.errors import CommandFailed


def confirm(effect: str, question: str) -> bool:
    """Ask on the terminal; return whether the answer is yes.

    Args:
        effect: what the command does, as a sentence without its end.
        question: what is asked.

    Raises:
        CommandFailed: there is no terminal. `--yes` stands for the answer there.
    """
    if not sys.stdin.isatty():
        raise CommandFailed(f"{effect}; say --yes to mean it.")
    return input(f"{question} Type yes: ").strip() == "yes"
