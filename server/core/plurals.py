"""Numbers with their words, in the lines that commands and logs say. Pages have texts of their own.

A text of a page has its forms in the language files, where `count` chooses.
"""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with the words that fit it: `1 socket`, `2 sockets`.

    Args:
        number: how many there are.
        one: the words behind 1.
        many: the words behind all other numbers; `one` with an s unless given.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
