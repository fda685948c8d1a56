"""A proxy that does not name its clients: each request is counted, and each kind is said once."""

import pytest

from handlers.http.unnamed_clients import UnnamedClients
from server.core.forwarded import Unnamed


def test_each_kind_is_logged_once_and_counted_always(caplog: pytest.LogCaptureFixture) -> None:
    counted = list[Unnamed]()
    unnamed = UnnamedClients(counted.append)
    for _ in range(3):
        unnamed.met("10.0.0.1", Unnamed.HIDDEN, "_s3cret")
    unnamed.met("10.0.0.2", Unnamed.MISSING, "")
    assert counted == [Unnamed.HIDDEN] * 3 + [Unnamed.MISSING]
    first, second = caplog.records
    assert first.levelname == "WARNING"
    assert (vars(first)["proxy"], vars(first)["why"]) == ("10.0.0.1", "hidden")
    assert vars(first)["shape"] == "_a9aaaa"
    assert vars(second)["why"] == "missing"
    assert "s3cret" not in caplog.text
