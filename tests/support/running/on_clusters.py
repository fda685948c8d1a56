"""Leaves out the tests that cannot run on a cluster, in a run that is on clusters: a pytest plugin.

All others run there as they are. What is new in a folder that `make test-cluster` runs does so too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pytest

from tests.support.servers.stores import ON_CLUSTERS

STAYING_OUT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "is about the embedded store, or about a process that starts and stops with it": (
        "integration/test_commands_alone.py",
        "integration/test_data_elsewhere.py",
        "integration/test_embedded_store.py",
        "integration/test_failed_to_start.py",
        "integration/test_outgoing_connections.py",
        "integration/test_process_list.py",
        "integration/test_supervisor.py",
    ),
    "starts a store of its own, which fails, or is not as it should be": (
        "handlers/test_activity.py",
        "handlers/test_outage.py",
        "integration/test_cluster.py",
        "integration/test_cluster_bad_input.py",
        "integration/test_demoted_master.py",
        "integration/test_doctor_findings.py",
        "integration/test_durability_of_receipts.py",
        "integration/test_full_store.py",
        "integration/test_keys_that_do_not_fit.py",
        "integration/test_moved_store.py",
        "integration/test_other_session_rules.py",
        "integration/test_probes.py",
        "integration/test_refusing_store.py",
        "integration/test_replicas.py",
        "integration/test_rolling_upgrade.py",
        "integration/test_sentinel_at_start.py",
        "integration/test_set_clocks.py",
        "integration/test_store_at_start.py",
        "integration/test_store_outage.py",
        "integration/test_store_security.py",
        "integration/test_top.py",
    ),
    "is about an option that the address of a cluster does not have": (
        "conformance/test_stores.py::TestRedisStoreOverResp2",
    ),
    "reads or writes behind the server's back, in the one shard of a Valkey": (
        "integration/test_at_rest.py",
        "integration/test_forged_events.py",
        "integration/test_garbage_streams.py",
        "integration/test_grey_box.py",
        "integration/test_index.py",
        "integration/test_tampering.py",
    ),
    "measures time, memory or commands, with figures for a Valkey": (
        "handlers/test_bad_cookies.py",
        "handlers/test_fair_turns.py",
        "handlers/test_time_tells_nothing.py",
        "integration/test_bench.py",
        "integration/test_fair_turns.py",
        "integration/test_sign_in_load.py",
        "integration/test_strangers.py",
        "sockets/test_flood.py",
        "sockets/test_patience.py",
        "sockets/test_slow_readers.py",
        "sockets/test_thousand_sockets.py",
    ),
    "is about bytes, pages, words, files or other programs: the store changes nothing of it": (
        "handlers/test_access.py",
        "handlers/test_bad_input.py",
        "handlers/test_costly_requests.py",
        "handlers/test_deep_links.py",
        "handlers/test_every_answer.py",
        "handlers/test_languages.py",
        "handlers/test_look.py",
        "handlers/test_malformed_http.py",
        "handlers/test_next.py",
        "handlers/test_openapi.py",
        "handlers/test_origins.py",
        "handlers/test_own_templates.py",
        "handlers/test_schemathesis.py",
        "handlers/test_static_files.py",
        "handlers/test_typed_names.py",
        "integration/test_aborted_requests.py",
        "integration/test_balancers_on_pages.py",
        "integration/test_clients_behind_balancers.py",
        "integration/test_containers.py",
        "integration/test_early_answers.py",
        "integration/test_examples.py",
        "integration/test_failed_starts.py",
        "integration/test_forwarded_headers.py",
        "integration/test_hanging_workers.py",
        "integration/test_kept_application.py",
        "integration/test_kept_cookie.py",
        "integration/test_log_pipes.py",
        "integration/test_operations_page.py",
        "integration/test_pytest_tornado.py",
        "integration/test_refusals_are_heard.py",
        "integration/test_reloading.py",
        "integration/test_request_logs.py",
        "integration/test_reset_connections.py",
        "integration/test_service_manager.py",
        "integration/test_service_signals.py",
        "integration/test_streamed_bodies.py",
        "integration/test_tls.py",
        "integration/test_tornado_suite.py",
        "integration/test_traces.py",
        "integration/test_uploads.py",
        "security/test_headers.py",
        "security/test_pages.py",
        "security/test_secret_comparisons.py",
        "security/test_secret_search.py",
        "sockets/test_malformed.py",
    ),
})  # fmt: skip
"""By reason: files, or one class in a file."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect them."""
    if not ON_CLUSTERS:
        return
    names = tuple(f"tests/{each}" for files in STAYING_OUT.values() for each in files)
    left = [item for item in items if item.nodeid.startswith(names)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
