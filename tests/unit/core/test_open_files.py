"""How many connections a limit of open files leaves room for."""

import pytest

from server.core.open_files import FEWEST_CONNECTIONS, KEPT_FREE, UNLIMITED, connections_with


@pytest.mark.parametrize(
    ("files", "most"), [(1024, 1024 - KEPT_FREE), (100, FEWEST_CONNECTIONS), (-1, UNLIMITED)]
)
def test_some_files_are_kept_free(files: int, most: int) -> None:
    assert connections_with(files) == most
