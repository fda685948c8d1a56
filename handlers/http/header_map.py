"""Headers that are read, set and copied quickly: each request does so dozens of times."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from tornado.httputil import HTTPHeaders

NAMES_REMEMBERED: Final = 1024


class HeaderMap(HTTPHeaders):
    """Tornado's headers, with one dictionary of their own behind the same methods.

    Tornado keeps a list and a joined text of each header. So to copy twelve of them, which every
    answer does, takes twenty times as long as to copy one dictionary of texts.

    Attributes:
        by_name: the value of each header, or its values if it has several lines.
    """

    def __init__(self, *args: Any, **named: str) -> None:
        self.by_name: dict[str, str | list[str]] = {}
        if args or named:
            super().__init__(*args, **named)

    @classmethod
    def of(cls, values: dict[str, str | list[str]]) -> "HeaderMap":
        """Return headers that were checked already.

        Args:
            values: by names as `header_name` writes them; the headers keep the dictionary.
        """
        made = cls.__new__(cls)
        made.by_name = values
        return made

    def add(self, name: str, value: str, **options: Any) -> None:
        """Add a line, after Tornado's own checks."""
        HTTPHeaders().add(name, value, **options)
        name = header_name(name)
        present = self.by_name.get(name)
        if present is None:
            self.by_name[name] = value
        else:
            self.by_name[name] = [*_listed(present), value]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header; lines with the same name are joined by commas."""
        value = self.by_name.get(header_name(name))
        if value is None:
            return default
        return ",".join(value) if isinstance(value, list) else value

    def get_list(self, name: str) -> list[str]:
        """Return the lines of a header."""
        value = self.by_name.get(header_name(name))
        return [] if value is None else _listed(value)

    def get_all(self) -> Iterator[tuple[str, str]]:
        """Return the name and the value of each line."""
        for name, value in self.by_name.items():
            if isinstance(value, list):
                for each in value:
                    yield name, each
            else:
                yield name, value

    def lines(self) -> Iterable[tuple[str, Any]]:
        """Return the same as `get_all`, in one call if no header has several lines."""
        return self.get_all() if list in map(type, self.by_name.values()) else self.by_name.items()

    def copy(self) -> "HeaderMap":
        """Return headers that can be changed without these."""
        made = HeaderMap.__new__(HeaderMap)
        made.by_name = self.by_name.copy()
        return made

    __copy__ = copy

    def __getitem__(self, name: str) -> str:
        value = self.by_name[header_name(name)]
        return ",".join(value) if isinstance(value, list) else value

    def __setitem__(self, name: str, value: str) -> None:
        self.by_name[header_name(name)] = value

    def __delitem__(self, name: str) -> None:
        del self.by_name[header_name(name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and header_name(name) in self.by_name

    def __len__(self) -> int:
        return len(self.by_name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)


@lru_cache(NAMES_REMEMBERED)
def header_name(name: str) -> str:
    """Return a name as Tornado writes it: `Content-Type`."""
    return "-".join(word.capitalize() for word in name.split("-"))


def _listed(value: str | list[str]) -> list[str]:
    return value.copy() if isinstance(value, list) else [value]
