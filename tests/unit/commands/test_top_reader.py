"""Where this machine's metrics are; and a store that goes away is said, and read again."""

from pathlib import Path

import pytest

from server.commands.top_reader import TopReader, own_metrics, reachable_host
from settings import Settings, load_settings
from tests.support.running.ports import free_port
from tests.support.servers.valkey import ValkeyServer


def settings(tmp_path: Path, **variables: str) -> Settings:
    """Settings with these variables."""
    given = {f"CURFEW_{name.upper()}": value for name, value in variables.items()}
    return load_settings({"CURFEW_DATA_DIR": str(tmp_path), **given})


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"port": "81"}, "http://127.0.0.1:81/metrics"),
        ({"port": "81", "host": "::1"}, "http://[::1]:81/metrics"),
        ({"port": "81", "base_path": "/app"}, "http://127.0.0.1:81/app/metrics"),
        ({"port": "81", "metrics_port": "82"}, "http://127.0.0.1:82/metrics"),
    ],
)
def test_this_machines_metrics_are_where_the_settings_say(
    tmp_path: Path, variables: dict[str, str], url: str
) -> None:
    assert own_metrics(settings(tmp_path, **variables)) == (url, None)


async def test_a_server_without_a_port_has_no_metrics_of_its_own(tmp_path: Path) -> None:
    on_a_path = settings(tmp_path, host=f"unix:{tmp_path}/http.sock", store_url="unix:///nothing")
    assert own_metrics(on_a_path) is None
    async with TopReader(on_a_path, []) as reader:
        assert "set CURFEW_METRICS_PORT" in (await reader.read()).problems[-1]


@pytest.mark.parametrize(
    ("listens", "reached"),
    [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("fd00::1", "[fd00::1]")],  # noqa: S104
)
def test_a_server_on_all_addresses_is_on_the_loopback_too(listens: str, reached: str) -> None:
    assert reachable_host(listens) == reached


async def test_a_store_that_is_not_there_yet_or_goes_away_is_said_and_read_again(
    tmp_path: Path,
) -> None:
    with ValkeyServer(tcp=True) as store:
        store.stop()
        nobody = f"http://127.0.0.1:{free_port()}/metrics"
        reader = TopReader(settings(tmp_path, store_url=store.url), [nobody])
        async with reader:
            assert len((await reader.read()).problems) == 2
            for _ in range(2):
                assert "the store does not answer" in reader.store_problem
                store.start()
                reading = await reader.read()
                assert (reader.store_problem, len(reading.problems)) == ("", 1)
                assert reading.store_now > 0
                store.kill()
                await reader.read()
            store.start()  # so that its end is in good order
