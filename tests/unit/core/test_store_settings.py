"""Where the store is, read from variables: what is wrong is told without a password."""

import pytest

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.core.store_settings import allows_plaintext, read_replicas, read_store_url

SENTINEL = "redis+sentinel://me:hush@127.0.0.1/main"


def read(**variables: str) -> Environment:
    """Return these variables, without their prefix."""
    return Environment({f"CURFEW_{name}": value for name, value in variables.items()})


def refused(**variables: str) -> str:
    """Return what is said of a wrong address; no file exists."""
    with pytest.raises(ConfigurationError) as error:
        read_store_url(read(**variables), lambda _, __: False)
    assert "hush" not in str(error.value)
    return str(error.value)


def test_a_right_address_is_taken_as_it_is() -> None:
    for url in ("", "redis://me:hush@127.0.0.1:1", SENTINEL):
        assert read_store_url(read(STORE_URL=url), lambda _, __: True) == url


def test_a_wrong_address_is_named() -> None:
    line = refused(STORE_URL=f"{SENTINEL}/x")
    assert line.startswith("CURFEW_STORE_URL is '127.0.0.1/main/x'; behind the service it takes")
    line = refused(STORE_URL=SENTINEL.replace("127.0.0.1", "db.example"))
    assert line.startswith("CURFEW_STORE_URL is 'db.example/main'; other machines could read")
    line = refused(STORE_URL="rediss+sentinel://:hush@a/main?ssl_ca_certs=/ca.pem")
    assert line == "CURFEW_STORE_URL is 'a/main'; there is no file /ca.pem."


def test_plain_text_between_machines_is_allowed_by_a_word() -> None:
    assert not allows_plaintext(read())
    assert allows_plaintext(read(STORE_PLAINTEXT="allow"))
    with pytest.raises(ConfigurationError):
        read_store_url(read(STORE_PLAINTEXT="yes"), lambda _, __: True)


def test_ends_wait_for_a_replica_where_one_may_be_promoted() -> None:
    assert read_replicas(read(), "") == 0
    assert read_replicas(read(), "redis://127.0.0.1") == 0
    assert read_replicas(read(), SENTINEL) == 1
    assert read_replicas(read(TERMINATION_REPLICAS="0"), SENTINEL) == 0
    assert read_replicas(read(TERMINATION_REPLICAS="2"), "redis://127.0.0.1") == 2
