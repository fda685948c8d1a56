"""Settings: every variable has a default, takes what it says, and refuses the rest in one line."""

import re
import stat
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from operator import attrgetter
from pathlib import Path

import pytest

import settings
from server.core.addresses import is_loopback
from server.core.errors import ConfigurationError
from server.crypto.keyring import new_secret, parse_secret
from settings import Settings, load_settings

KEY = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"
OTHER_KEY = "AnotherKeyThatOpensNothingAnotherKeyThatOp4"
OPEN = {"CURFEW_SECRET_KEYS": KEY}

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
    ("IDLE_TIMEOUT", "rules.idle_timeout", timedelta(minutes=30), "1.5s", timedelta(seconds=1.5)),
    ("ABSOLUTE_TIMEOUT", "rules.absolute_timeout", timedelta(hours=12), "24h", timedelta(days=1)),
    ("ROTATION_INTERVAL", "rules.rotation_interval", timedelta(minutes=15), "1m",
     timedelta(minutes=1)),
    ("ROTATION_GRACE", "rules.rotation_grace", timedelta(seconds=30), "500ms",
     timedelta(seconds=0.5)),
    ("REAUTHENTICATION_WINDOW", "rules.reauthentication_window", timedelta(minutes=5), "1h",
     timedelta(hours=1)),
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
    ("ANONYMOUS_PER_ADDRESS", "visitor_limits.sessions_per_address", 1000, "1", 1),
    ("ANONYMOUS_MIB_PER_ADDRESS", "visitor_limits.bytes_per_address", 2**23, "1", 2**20),
    ("ANONYMOUS_IN_ALL", "visitor_limits.sessions_in_all", 50_000, "1", 1),
    ("ANONYMOUS_MIB_IN_ALL", "visitor_limits.bytes_in_all", 2**26, "2", 2**21),
    ("TRUSTED_PROXIES", "trusted_proxies", (), "10.0.0.0/8, ::1",
     (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("TLS_CERT", "tls_cert", None, None, None),
    ("TLS_KEY", "tls_key", None, None, None),
    ("WATCHDOG", "watchdog", timedelta(seconds=10), "3s", timedelta(seconds=3)),
    ("LOG_FORMAT", "log_format", "console", "json", "json"),
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
    ("ROTATION_INTERVAL", "-5m", "a duration"),
    ("ROTATION_GRACE", "1e3s", "a duration"),
    ("REAUTHENTICATION_WINDOW", "5 m", "a duration"),
    ("TOUCH_INTERVAL", "nans", "a duration"),
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
    ("WATCHDOG", "never", "a duration"),
    ("ORIGINS", "https://a.example/", "origins such as https://app.example"),
    ("ORIGINS", "*", "origins"),
    ("ORIGINS", "null", "origins"),
    ("ORIGINS", "HTTPS://A.EXAMPLE", "origins"),
    ("ORIGINS", "ftp://a.example", "origins"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "addresses or networks such as 10.0.0.0/8"),
    ("TRUSTED_PROXIES", "proxy.example", "addresses or networks"),
    ("TLS_CERT", "/nowhere/cert.pem", "the path of a PEM file, or self"),
    ("TLS_CERT", "Self", "the path of a PEM file, or self"),
    ("TLS_KEY", "/nowhere/key.pem", "the path of a PEM file"),
    ("STORE_URL", "localhost:6379", "redis://, rediss:// or unix://, or nothing"),
    ("COOKIE_NAME", "a b", "1 to 64 letters, digits, - and _"),
    ("COOKIE_NAME", "a=b;", "1 to 64 letters"),
]


def load(**variables: str) -> Settings:
    """Load from nothing but these variables, without their prefix, and a key."""
    return load_settings(OPEN | {f"CURFEW_{name}": value for name, value in variables.items()})


def refusal(environment: Mapping[str, str]) -> str:
    """Return the one line with which the environment is refused."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_no_variable_is_missing_here() -> None:
    read = set(re.findall(r"\bCURFEW_([A-Z_]+)", Path(settings.__file__).read_text("utf-8")))
    elsewhere = {"DATA_DIR", "SECRET_KEYS", "SECRET_KEYS_FILE", "STORE_PLAINTEXT"}
    assert read == {row[0] for row in TABLE} | elsewhere


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
    assert refusal(OPEN | {f"CURFEW_{name}": got}).startswith(
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


def test_the_data_folder_is_absolute() -> None:
    assert load(DATA_DIR="somewhere").data_dir == Path.cwd() / "somewhere"
    assert load().data_dir == Path.cwd() / "data"


def test_other_machines_are_served_with_encryption_only(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    line = refusal(OPEN | {"CURFEW_HOST": "0.0.0.0"})  # noqa: S104 - what is refused
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
        line = refusal(OPEN | {name: str(tmp_path / "pem")})
        assert line == "CURFEW_TLS_CERT and CURFEW_TLS_KEY go together; set both."


def test_the_server_makes_its_own_certificate_when_told_so(tmp_path: Path) -> None:
    (tmp_path / "pem").touch()
    own = load(TLS_CERT="self", DATA_DIR=str(tmp_path))
    assert (own.tls_self_made, own.pins_https) == (True, False)
    assert own.tls_cert == tmp_path / "tls" / "certificate.pem"
    assert own.tls_key == tmp_path / "tls" / "key.pem"
    assert "https://localhost:8888" in own.origins
    line = refusal(OPEN | {"CURFEW_TLS_CERT": "self", "CURFEW_TLS_KEY": str(tmp_path / "pem")})
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


def test_a_store_address_is_shown_without_its_password() -> None:
    line = refusal(OPEN | {"CURFEW_STORE_URL": "https://me:hush-hush@db.example:6379"})
    assert "hush" not in line
    assert "'db.example:6379'" in line


@pytest.mark.parametrize(
    "url", ["redis://db", "redis://me:hush@db:6379/0", "redis://10.0.0.7", "redis://[fd00::1]:6379"]
)
@pytest.mark.proves("12.3.1", "12.3.2")
def test_plain_tcp_to_another_machine_is_refused_unless_it_is_asked_for(url: str) -> None:
    line = refusal(OPEN | {"CURFEW_STORE_URL": url})
    assert "CURFEW_STORE_PLAINTEXT=allow" in line
    assert "hush" not in line
    assert load(STORE_URL=url, STORE_PLAINTEXT="allow").store_url == url


@pytest.mark.parametrize(
    "url",
    ["redis://", "redis://localhost", "redis://:pw@127.0.0.1:6379", "redis://[::1]", "unix:///s"],
)
def test_plain_text_stays_allowed_inside_this_machine(url: str) -> None:
    assert load(STORE_URL=url).store_url == url


@pytest.mark.parametrize(
    "options",
    ["ssl_cert_reqs=none", "ssl_check_hostname=false", "ssl_ciphers=NULL", "ssl_min_version=1",
     "retry=1", "socket_timeout=900"],
)  # fmt: skip
@pytest.mark.proves("12.3.2", "12.3.4")
def test_the_verification_of_the_store_cannot_be_turned_off(options: str) -> None:
    line = refusal(OPEN | {"CURFEW_STORE_URL": f"rediss://me:hush@db:6379/0?{options}"})
    assert line.startswith("CURFEW_STORE_URL is 'db:6379/0'; behind the question mark ")


def test_certificates_of_the_store_are_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    url = f"rediss://db?ssl_ca_certs={tmp_path / 'ca.pem'}"
    assert load(STORE_URL=url).store_url == url
    assert "there is no file" in refusal(OPEN | {"CURFEW_STORE_URL": url + "x"})
    assert "PEM file" in refusal(OPEN | {"CURFEW_STORE_URL": "rediss://db?ssl_ca_certs="})
    assert refusal(OPEN | {"CURFEW_STORE_URL": url.replace("rediss", "redis")})


def test_keys_are_given_newest_first() -> None:
    expected = (parse_secret(KEY), parse_secret(OTHER_KEY))
    for text in (f"{KEY},{OTHER_KEY}", f" {KEY} \n {OTHER_KEY}\n"):
        assert load_settings({"CURFEW_SECRET_KEYS": text}).secret_keys == expected


@pytest.mark.parametrize(
    ("given", "problem"),
    [("secret-word", "is not base64url text"), ("c2VjcmV0", "has 6 bytes, 32 are needed"),
     ("A" * 43, "is one byte over and over"), (f"{KEY},{KEY}", "repeats key 1")],
)  # fmt: skip
def test_a_bad_key_is_refused_without_being_shown(given: str, problem: str) -> None:
    line = refusal({"CURFEW_SECRET_KEYS": given})
    assert line.startswith("CURFEW_SECRET_KEYS: ")
    assert problem in line
    assert "python run.py keys new" in line
    assert given not in line
    assert KEY not in line


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    environment = {"CURFEW_DATA_DIR": str(tmp_path / "data")}
    first = load_settings(environment)
    file = tmp_path / "data" / "secret_keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert first.secret_keys == (parse_secret(file.read_text("ascii").strip()),)
    assert load_settings(environment).secret_keys == first.secret_keys
    other = load_settings({"CURFEW_DATA_DIR": str(tmp_path / "other")})
    assert other.secret_keys != first.secret_keys


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path, mode)
    line = refusal({"CURFEW_SECRET_KEYS_FILE": str(file)})
    assert line == f"CURFEW_SECRET_KEYS_FILE: other users can read {file}. Run: chmod 600 {file}"


def test_a_key_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = key_file(tmp_path, 0o400)
    settings = load_settings({"CURFEW_SECRET_KEYS_FILE": str(file)})
    assert settings.secret_keys == (parse_secret(file.read_text("ascii").strip()),)


def test_a_key_file_is_not_made_where_one_was_named_or_others_can_connect(tmp_path: Path) -> None:
    named = refusal({"CURFEW_SECRET_KEYS_FILE": str(tmp_path / "keys")})
    assert named.startswith(f"CURFEW_SECRET_KEYS_FILE: {tmp_path / 'keys'}: No such file")
    public = {"CURFEW_HOST": "192.0.2.1", "CURFEW_TRUSTED_PROXIES": "192.0.2.2"}
    assert "keys new" in refusal(public | {"CURFEW_DATA_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_with_something_else_in_it_is_refused_without_being_shown(
    tmp_path: Path,
) -> None:
    file = key_file(tmp_path, 0o600)
    for content in (b"\xff\xfe hush", b"hush", b""):
        file.write_bytes(content)
        line = refusal({"CURFEW_SECRET_KEYS_FILE": str(file)})
        assert line.startswith("CURFEW_SECRET_KEYS_FILE: ")
        assert "hush" not in line


def key_file(folder: Path, mode: int) -> Path:
    """Write a key file with this mode."""
    file = folder / "secret_keys"
    file.write_text(new_secret() + "\n", "ascii")
    file.chmod(mode)
    return file


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
    assert refusal(OPEN | {name: value}).startswith(f"{name} is ")


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal({"CURFEW_DATA_DIR": str(tmp_path / "file" / "data")})
    assert line.startswith("CURFEW_DATA_DIR: ")
