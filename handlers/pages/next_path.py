"""Where a person goes on to: a path of our own, with its query and fragment, and nothing else.

Every redirect that interrupts a person takes the address along, and every step on the way hands it
on. It comes back from the browser each time, so each time it is checked: nobody else's address may
be in it (ASVS 5.0 3.7.2).
"""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, unquote, unquote_plus, urlencode, urlsplit

from server.core.token import parse_token

OWN_PATH: Final = re.compile(r"/(?!/)[!-\[\]-~]{0,2047}")
"""One slash, then visible ASCII without the backslash: browsers read a backslash as another slash,
and drop tabs and line ends."""
HOME: Final = "/account"
ENTRANCES: Final = frozenset({"/", HOME})
"""Pages that everybody finds without being led back to them."""
SECRETS: Final = frozenset({"csrf_token", "password", "current_password", "new_password"})
"""Fields of our forms. In a query they count for nothing, and no page shows them again."""
_SIGNED: Final = re.compile(r"2\|\d+:\d+\|\d+:\d+\|")
"""How the cookies begin that Tornado signs."""
_TIMES_ESCAPED: Final = 3
"""An address may carry an address, which may carry another one."""
_AS_IT_IS: Final = "".join(map(chr, range(0x21, 0x7F))).replace("\\", "")


def own_path(given: str) -> str:
    """Return the given path if it is one of our own, otherwise the account page.

    A backslash in its query or fragment is harmless, and escaped. If only one of these is not
    acceptable, the path without it is better than nothing. So is a secret of ours that somebody
    has put into one of them: it goes no further (ASVS 5.0 14.2.1).
    """
    path = re.split("[?#]", given, maxsplit=1)[0]
    whole = path + given.removeprefix(path).replace("\\", "%5C")
    parts = (whole, whole.partition("#")[0], path)
    return next((each for each in parts if _may_be_led_to(each)), HOME)


def path_with_query(path: str, query: str, without: Collection[str] = ()) -> str:
    """Return the address of a request as a path of our own; empty if it cannot be one.

    Browsers send a backslash in a query as it is, and some clients send more than ASCII. A query
    with a secret of ours is left out.

    Args:
        path: as it was sent.
        query: as it was sent, without the question mark.
        without: names of fields that are left out.
    """
    if without:
        fields = query.split("&")
        query = "&".join(
            each for each in fields if unquote_plus(each.partition("=")[0]) not in without
        )
    whole = f"{path}?{quote(query, safe=_AS_IT_IS)}" if query else path
    return next((each for each in (whole, path) if _may_be_led_to(each)), "")


def path_of_page(address: str, origins: Collection[str]) -> str:
    """Return the path of a page of ours from its whole address; empty for any other address.

    Args:
        address: as a `Referer` header gives it.
        origins: browser origins that are ours.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_ours = f"{parts.scheme}://{parts.netloc}" in origins
    return path_with_query(parts.path, parts.query) if is_ours else ""


def with_next(path: str, next_path: str, **fields: str) -> str:
    """Return an address of ours that leads on to another one.

    Args:
        path: of the page to show first; it may have a query.
        next_path: where that page leads on to; empty for nowhere.
        fields: further fields of the query. Empty ones are left out.
    """
    query = urlencode(
        {name: value for name, value in {"next": next_path, **fields}.items() if value}
    )
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _may_be_led_to(path: str) -> bool:
    """Return whether it is a path of our own, without a cookie of ours or a token in it."""
    if not OWN_PATH.fullmatch(path):
        return False
    for _ in range(_TIMES_ESCAPED):
        if _SIGNED.search(path) or any(map(parse_token, re.split("[/?&;=#]", path))):
            return False
        path = unquote(path)
    return True
