"""Changes of a session's data: merged key by key, refused if they cannot be stored."""

from collections.abc import Mapping

from server.core import strict_json
from server.core.errors import DataRefused
from server.core.policy import Accept
from server.core.session import MAX_DATA_BYTES, Json, Session, holding


def merge(data: Mapping[str, Json], changes: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return `data` with the top-level keys of `changes`; a value of None removes its key."""
    merged = {**data, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def with_data(session: Session, data: Mapping[str, Json]) -> Accept:
    """Return the record with this data; unchanged data needs no write.

    Raises:
        DataRefused: the data is too large, or not JSON.
    """
    if flaw := strict_json.flaw_of(dict(data)):
        raise DataRefused(f"Session data cannot be kept. {flaw}")
    try:
        text = strict_json.encode(data)
    except strict_json.NotJson as error:
        raise DataRefused("Session data must be JSON values.") from error
    if text == strict_json.encode(session.data):  # `==` would treat 1, 1.0 and True as equal
        return Accept(session)
    size = len(text)
    if size > MAX_DATA_BYTES:
        detail = f"Session data would take {size} bytes; {MAX_DATA_BYTES} are allowed."
        raise DataRefused(detail)
    return Accept(holding(session, data), changed=True)
