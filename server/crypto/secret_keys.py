"""The settings of the secret keys: which file or variable holds them, and the keys, checked."""

from pathlib import Path

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.crypto.key_file import make_key_file, read_key_file, split_keys
from server.crypto.keyring import Keyring, WeakKey, new_secret, parse_secret


def key_file(read: Environment, data_dir: Path) -> Path | None:
    """Return the file that holds the keys, or None if a variable holds them."""
    if read.text("CURFEW_SECRET_KEYS", ""):
        return None
    return Path(read.text("CURFEW_SECRET_KEYS_FILE", "") or data_dir / "secret_keys")


def secret_keys(read: Environment, file: Path | None, *, loopback: bool) -> tuple[bytes, ...]:
    """Return the keys, checked.

    The file is made at the first start, but only on loopback and if no file was named: elsewhere a
    person makes it, so that no server runs on keys that nobody knows of.

    Raises:
        ConfigurationError: there are no keys, or they protect nothing.
    """
    if file is None:
        return _parsed("CURFEW_SECRET_KEYS", read.text("CURFEW_SECRET_KEYS", ""))
    if loopback and not read.text("CURFEW_SECRET_KEYS_FILE", ""):
        make_key_file(file, new_secret())
    return read_secret_keys(file)


def read_secret_keys(file: Path) -> tuple[bytes, ...]:
    """Return the keys in a key file, checked.

    Raises:
        ConfigurationError: the file cannot be read, or its keys protect nothing.
    """
    name = "CURFEW_SECRET_KEYS_FILE"
    return _parsed(name, read_key_file(name, file))


def _parsed(name: str, text: str) -> tuple[bytes, ...]:
    try:
        secrets = tuple(parse_secret(each) for each in split_keys(text))
        Keyring.from_secrets(secrets)
    except WeakKey as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return secrets
