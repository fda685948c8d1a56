"""How a command fails."""


class CommandFailed(Exception):
    """The command was not carried out. The text says why, to the person who typed it."""
