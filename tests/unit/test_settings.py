"""Settings: every variable has a default, takes what it says, and refuses the rest in one line."""

import inspect
import re
from datetime import timedelta
from ipaddress import ip_network
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

import settings
from server.core import password_help, rule_settings, running, store_settings
from server.core.addresses import is_loopback
from server.core.remembering import RememberMe
from server.crypto import secret_keys
from settings import names_of_settings
from tests.support.engine.given_settings import WITH_KEY, load, refusal

# variable, attribute, default, a good value, what it means
TABLE = [
    ("HOST", "host", "127.0.0.1", "::1", "::1"),
    ("PORT", "port", 8888, "0", 0),
    ("PROCESSES", "processes", 1, "64", 64),
    ("STORE_URL", "store_url", "", "rediss://:word@db:6379/2", "rediss://:word@db:6379/2"),
    ("STORE_WAIT", "store_wait", timedelta(seconds=30), "2m", timedelta(minutes=2)),
    ("SHARDS", "shards", 1, "100", 100),
    ("ORIGINS", "origins", None, "https://a.example , http://[::1]:8080",
     frozenset({"https://a.example", "http://[::1]:8080"})),
    ("BASE_PATH", "base_path", "", "/auth/v1/", "/auth/v1"),
    ("IDLE_TIMEOUT", "rules.idle_timeout", timedelta(minutes=30), "1.5s", timedelta(seconds=1.5)),
    ("ABSOLUTE_TIMEOUT", "rules.absolute_timeout", timedelta(hours=12), "24h", timedelta(days=1)),
    ("REMEMBER_IDLE_TIMEOUT", "rules.remember_idle_timeout", timedelta(days=7), "24h",
     timedelta(days=1)),
    ("REMEMBER_ABSOLUTE_TIMEOUT", "rules.remember_absolute_timeout", timedelta(days=30), "48h",
     timedelta(days=2)),
    ("REMEMBER", "remember", RememberMe.OFFER, "preselect", RememberMe.PRESELECT),
    ("ROTATION_INTERVAL", "rules.rotation_interval", timedelta(minutes=15), "1m",
     timedelta(minutes=1)),
    ("ROTATION_GRACE", "rules.rotation_grace", timedelta(seconds=30), "500ms",
     timedelta(seconds=0.5)),
    ("REAUTHENTICATION_WINDOW", "rules.reauthentication_window", timedelta(minutes=5), "1h",
     timedelta(hours=1)),
    ("TRACES", "running.traces", "off", "console", "console"),
    ("TOUCH_INTERVAL", "rules.touch_interval", timedelta(seconds=30), "1s", timedelta(seconds=1)),
    ("MAX_SESSIONS_PER_USER", "rules.max_sessions_per_user", 10, "1", 1),
    ("SECOND_FACTOR", "rules.second_factor_required", False, "required", True),
    ("RULES_CHANGE", "rules_change", False, "rolling", True),
    ("NODE_LEASE", "node_lease", timedelta(seconds=5), "2s", timedelta(seconds=2)),
    ("HOLD_TIMEOUT", "hold_timeout", timedelta(seconds=30), "3s", timedelta(seconds=3)),
    ("SWEEP_INTERVAL", "sweep_interval", timedelta(seconds=30), "4s", timedelta(seconds=4)),
    ("TERMINATION_WAIT", "termination_wait", timedelta(seconds=2), "5s", timedelta(seconds=5)),
    ("TERMINATION_REPLICAS", "termination_replicas", 0, "2", 2),
    ("SIGNUP", "signup", True, "closed", False),
    ("SIGNUPS_PER_ADDRESS", "sign_up_limits.per_address", 60, "1", 1),
    ("SIGNUPS_IN_ALL", "sign_up_limits.in_all", 1000, "1000000", 1_000_000),
    ("PASSWORD_HELP", "password_help", "", "mailto:help@example.org", "mailto:help@example.org"),
    ("ANONYMOUS_PER_ADDRESS", "visitor_limits.sessions_per_address", 1000, "1", 1),
    ("ANONYMOUS_MIB_PER_ADDRESS", "visitor_limits.bytes_per_address", 2**23, "1", 2**20),
    ("ANONYMOUS_IN_ALL", "visitor_limits.sessions_in_all", 50_000, "1", 1),
    ("ANONYMOUS_MIB_IN_ALL", "visitor_limits.bytes_in_all", 2**26, "2", 2**21),
    ("TRUSTED_PROXIES", "trusted_proxies", (), "10.0.0.0/8, ::1",
     (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("TLS_CERT", "tls_cert", None, None, None),
    ("TLS_KEY", "tls_key", None, None, None),
    ("WATCHDOG", "watchdog", timedelta(seconds=10), "3s", timedelta(seconds=3)),
    ("DRAIN_NOTICE", "running.drain_notice", timedelta(), "3s", timedelta(seconds=3)),
    ("DRAIN_RATE", "running.drain_rate", 200, "1", 1),
    ("DRAIN_TIMEOUT", "running.drain_timeout", timedelta(seconds=45), "1m", timedelta(minutes=1)),
    ("HANDSHAKES", "running.handshakes", 200, "1", 1),
    ("METRICS_PORT", "running.metrics_port", None, "9100", 9100),
    ("METRICS_ADDRESS", "running.metrics_address", "127.0.0.1", "10.0.0.1", "10.0.0.1"),
    ("LOG_FORMAT", "log_format", "console", "json", "json"),
    ("EVENT_LOOP", "running.event_loop", "auto", "asyncio", "asyncio"),
    ("LOG_LEVEL", "running.log_level", 20, "error", 40),
    ("LOG_FILE", "log_file", None, "/var/log/curfew.log", Path("/var/log/curfew.log")),
    ("COOKIE_NAME", "cookie_name", "__Host-Http-curfew", "__Host-app_1", "__Host-app_1"),
]  # fmt: skip

# variable, what it got, what it says that it takes
WRONG = [
    ("PORT", "65536", "a whole number from 0 to 65535"),
    ("PORT", "-1", "a whole number"),
    ("PORT", "80.0", "a whole number"),
    ("PORT", "9" * 5000, "a whole number"),
    ("PROCESSES", "0", "a whole number from 1 to 64"),
    ("PROCESSES", "many", "a whole number"),
    ("SHARDS", "101", "a whole number from 1 to 100"),
    ("MAX_SESSIONS_PER_USER", "0", "a whole number from 1 to 1000"),
    ("IDLE_TIMEOUT", "30", "a duration such as 500ms, 30s, 15m or 12h"),
    ("IDLE_TIMEOUT", "0s", "a duration"),
    ("ABSOLUTE_TIMEOUT", "401d", "a duration"),
    ("ABSOLUTE_TIMEOUT", f"{'9' * 400}h", "a duration"),
    ("REMEMBER", "yes", "off or offer or preselect"),
    ("REMEMBER_IDLE_TIMEOUT", "7d", "a duration"),
    ("REMEMBER_ABSOLUTE_TIMEOUT", "0s", "a duration"),
    ("ROTATION_INTERVAL", "-5m", "a duration"),
    ("ROTATION_GRACE", "1e3s", "a duration"),
    ("REAUTHENTICATION_WINDOW", "5 m", "a duration"),
    ("TOUCH_INTERVAL", "nans", "a duration"),
    ("PASSWORD_HELP", "javascript:alert(1)", "an address that begins with https://"),
    ("RULES_CHANGE", "yes", "refuse or rolling"),
    ("NODE_LEASE", "5S", "a duration"),
    ("HOLD_TIMEOUT", "s", "a duration"),
    ("SWEEP_INTERVAL", "10000h", "a duration"),
    ("TERMINATION_WAIT", "2s!", "a duration"),
    ("TERMINATION_REPLICAS", "-1", "a whole number"),
    ("SIGNUP", "yes", "open or closed"),
    ("SECOND_FACTOR", "true", "optional or required"),
    ("LOG_FORMAT", "xml", "console or json"),
    ("WATCHDOG", "2s", "off, or a duration from 3s"),
    ("WATCHDOG", "never", "off, or a duration"),
    ("DRAIN_NOTICE", "0s", "off, or a duration"),
    ("ORIGINS", "https://a.example/", "origins such as https://app.example"),
    ("ORIGINS", "*", "origins"),
    ("ORIGINS", "null", "origins"),
    ("ORIGINS", "HTTPS://A.EXAMPLE", "origins"),
    ("ORIGINS", "ftp://a.example", "origins"),
    ("BASE_PATH", "auth", "a path such as /auth"),
    ("BASE_PATH", "/a//b", "a path such as /auth"),
    ("BASE_PATH", "/a/../b", "a path such as /auth"),
    ("BASE_PATH", "https://app.example/auth", "a path such as /auth"),
    ("BASE_PATH", "/" + "a" * 40, "a path such as /auth"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "addresses or networks such as 10.0.0.0/8"),
    ("TRUSTED_PROXIES", "proxy.example", "addresses or networks"),
    ("HOST", "unix:http.sock", "an absolute path, such as unix:/run/curfew/http.sock"),
    ("HOST", "unix:/" + "x" * 99, "a path of at most 99 bytes"),
    ("TLS_CERT", "/nowhere/cert.pem", "the path of a PEM file, or self"),
    ("TLS_CERT", "Self", "the path of a PEM file, or self"),
    ("TLS_KEY", "/nowhere/key.pem", "the path of a PEM file"),
    ("STORE_URL", "localhost:6379", "redis://, rediss:// or unix://, or nothing"),
    ("COOKIE_NAME", "a b", "1 to 64 letters, digits, - and _"),
    ("COOKIE_NAME", "a=b;", "1 to 64 letters"),
]


def test_no_variable_is_missing_here() -> None:
    modules = (settings, password_help, rule_settings, running, secret_keys, store_settings)
    read = set().union(*(named_in(each) for each in modules))
    elsewhere = {"DATA_DIR", "SECRET_KEYS", "SECRET_KEYS_FILE", "STORE_PLAINTEXT"}
    assert read == {row[0] for row in TABLE} | elsewhere
    assert {f"CURFEW_{name}" for name in read} == names_of_settings()


def named_in(module: ModuleType) -> set[str]:
    """Return the variables that a module names, without their prefix."""
    return set(re.findall(r"\bCURFEW_([A-Z_]+)", inspect.getsource(module)))


def test_a_misspelt_variable_stops_before_anything_is_made(tmp_path: Path) -> None:
    line = refusal({"CURFEW_DATA_DIR": str(tmp_path / "data"), "CURFEW_IDEL_TIMEOUT": "5m"})
    assert line.startswith(
        "There is no setting CURFEW_IDEL_TIMEOUT; the nearest one is CURFEW_IDLE"
    )
    assert list(tmp_path.iterdir()) == []


def test_so_does_a_wrong_value_of_the_last_setting_that_is_read(tmp_path: Path) -> None:
    line = refusal({"CURFEW_DATA_DIR": str(tmp_path / "data"), "CURFEW_COOKIE_NAME": "a b"})
    assert line.startswith("CURFEW_COOKIE_NAME is 'a b'; it takes")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_start_may_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert load(DATA_DIR="/somewhere").data_dir == Path("/somewhere")


def test_a_port_that_a_cluster_has_set_is_explained() -> None:
    line = refusal(WITH_KEY | {"CURFEW_PORT": "tcp://10.0.0.1:8888"})
    assert line.startswith("CURFEW_PORT is 'tcp://10.0.0.1:8888'; it takes a whole number")
    assert "enableServiceLinks" in line


@pytest.mark.parametrize(("name", "attribute", "default", "good", "meaning"), TABLE)
def test_every_variable_has_its_default_and_takes_its_values(
    name: str, attribute: str, default: object, good: str | None, meaning: object
) -> None:
    read = attrgetter(attribute)
    if default is not None:
        assert read(load()) == default
        assert read(load(**{name: "  "})) == default
    if good is not None:
        assert read(load(**{name: f" {good} "})) == meaning


@pytest.mark.parametrize(("name", "got", "takes"), WRONG)
def test_a_wrong_value_is_named_with_what_it_got_and_what_it_takes(
    name: str, got: str, takes: str
) -> None:
    assert refusal(WITH_KEY | {f"CURFEW_{name}": got}).startswith(
        f"CURFEW_{name} is {got!r}; it takes {takes}"
    )


def test_the_watchdog_can_be_off_and_no_log_file_is_the_default() -> None:
    assert load(WATCHDOG="off").watchdog is None
    assert load().log_file is None


def test_the_own_origins_are_those_of_the_loopback_at_the_port_and_scheme(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    assert load(PORT="9000").origins == {
        "http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"
    }  # fmt: skip
    assert load(PORT="80").hosts == {"127.0.0.1", "localhost", "[::1]"}
    encrypted = {"TLS_CERT": str(tmp_path / "pem"), "TLS_KEY": str(tmp_path / "pem")}
    assert "https://localhost:8888" in load(**encrypted).origins
    assert "https://localhost" in load(PORT="443", **encrypted).origins


def test_the_known_hosts_are_those_of_the_origins() -> None:
    settings = load(ORIGINS="https://app.example,http://localhost:8888")
    assert settings.hosts == {"app.example", "localhost:8888"}


def test_below_a_path_the_cookie_has_a_name_of_its_own() -> None:
    assert load(BASE_PATH="/auth/v1.2").cookie_name == "__Host-Http-curfew-auth-v1-2"
    assert load(BASE_PATH="/", COOKIE_NAME="mine").cookie_name == "mine"
    assert load(BASE_PATH="/").cookie_name == "__Host-Http-curfew"


def test_the_data_folder_is_absolute() -> None:
    assert load(DATA_DIR="somewhere").data_dir == Path.cwd() / "somewhere"
    assert load().data_dir == Path.cwd() / "data"


def test_other_machines_are_served_with_encryption_only(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    line = refusal(WITH_KEY | {"CURFEW_HOST": "0.0.0.0"})  # noqa: S104 - what is refused
    assert line.startswith("CURFEW_HOST is '0.0.0.0', which other machines can reach over plain")
    assert "CURFEW_TLS_CERT" in line
    assert "CURFEW_TRUSTED_PROXIES" in line
    pem = str(tmp_path / "pem")
    with_tls = load(HOST="192.0.2.1", TLS_CERT=pem, TLS_KEY=pem)
    assert (is_loopback(with_tls.host), with_tls.signup) == (False, False)
    behind_proxy = load(HOST="192.0.2.1", TRUSTED_PROXIES="192.0.2.2", SIGNUP="open")
    assert behind_proxy.signup


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    for name in ("CURFEW_TLS_CERT", "CURFEW_TLS_KEY"):
        line = refusal(WITH_KEY | {name: str(tmp_path / "pem")})
        assert line == "CURFEW_TLS_CERT and CURFEW_TLS_KEY go together; set both."


def test_the_server_makes_its_own_certificate_when_told_so(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    own = load(TLS_CERT="self", DATA_DIR=str(tmp_path))
    assert (own.tls_self_made, own.pins_https) == (True, False)
    assert own.tls_cert == tmp_path / "tls" / "certificate.pem"
    assert own.tls_key == tmp_path / "tls" / "key.pem"
    assert "https://localhost:8888" in own.origins
    line = refusal(WITH_KEY | {"CURFEW_TLS_CERT": "self", "CURFEW_TLS_KEY": str(tmp_path / "pem")})
    assert line == "CURFEW_TLS_CERT=self makes its own key; unset CURFEW_TLS_KEY."
    pem = str(tmp_path / "pem")
    given = load(TLS_CERT=pem, TLS_KEY=pem)
    assert (given.tls_self_made, given.pins_https) == (False, True)
    assert not load().pins_https


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("::", False), ("192.0.2.1", False), ("example.org", False), ("", False)],
)  # fmt: skip
def test_loopback_is_what_only_this_machine_can_reach(host: str, *, alone: bool) -> None:
    assert is_loopback(host) is alone


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CURFEW_STORE_URL", "redis://localhost:abc"),
        ("CURFEW_ORIGINS", "https://app.example:443"),
        ("CURFEW_ORIGINS", "https://app.example:99999"),
        ("CURFEW_IDLE_TIMEOUT", "0.0001ms"),
    ],
)
def test_what_could_never_work_is_refused(name: str, value: str) -> None:
    assert refusal(WITH_KEY | {name: value}).startswith(f"{name} is ")


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal({"CURFEW_DATA_DIR": str(tmp_path / "file" / "data")})
    assert line.startswith("CURFEW_DATA_DIR: ")
