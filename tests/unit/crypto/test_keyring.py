"""The keyring: weak keys stop the start, versions stay with their keys, purposes never meet."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from itertools import pairwise
from string import ascii_letters

import pytest

from server.crypto.keyring import Keyring, WeakKey, joined, new_secret, parse_secret


def secret(number: int) -> bytes:
    """Return a good key, the same one for the same number."""
    return hashlib.sha256(b"curfew test key %d" % number).digest()


RFC_7520 = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"
"""Section 3.5: a key that stands in many programs."""
CLASHING = (79797, 86238)
"""Two numbers whose keys happen to have the same version; found by search."""


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        ([], "the secret key is missing"),
        ([b""], "secret key 1 has 0 bytes, 32 are needed"),
        ([secret(1), secret(2)[:31]], "secret key 2 has 31 bytes, 32 are needed"),
        ([bytes(32)], "secret key 1 is one byte over and over"),
        ([secret(1), b"k" * 64], "secret key 2 is one byte over and over"),
        ([b"passwor" * 5], "secret key 1 has fewer than 8 different bytes"),
        ([b"abcdefg" * 5], "secret key 1 has fewer than 8 different bytes"),
        ([b"abcdefgh" * 4], "secret key 1 is readable text"),
        ([b"correct horse battery staple, twice"], "secret key 1 is readable text"),
        ([secret(1)[:16] * 2], "secret key 1 follows a pattern"),
        ([secret(1)[:11] * 3], "secret key 1 follows a pattern"),
        ([bytes(range(32))], "secret key 1 follows a pattern"),
        ([bytes(range(250, 0, -7))], "secret key 1 follows a pattern"),
        ([parse_secret("change-this-" * 4)], "secret key 1 follows a pattern"),
        ([parse_secret("0123456789" * 4 + "0123")], "secret key 1 follows a pattern"),
        ([parse_secret(ascii_letters[:44])], "secret key 1 follows a pattern"),
        ([parse_secret(RFC_7520)], "secret key 1 is an example that everybody can read"),
        ([secret(1), secret(2), secret(1)], "secret key 3 repeats key 1"),
        ([secret(n) for n in CLASHING], "secret key 2 has by chance the version of key 1"),
    ],
)
@pytest.mark.proves("13.3.1")
def test_weak_keys_are_refused_and_the_cure_is_named(secrets: list[bytes], text: str) -> None:
    with pytest.raises(WeakKey) as refused:
        Keyring.from_secrets(secrets)
    assert str(refused.value) == f"{text}; make one with: python run.py keys new"


def test_eight_different_bytes_in_32_are_the_least() -> None:
    eight = bytes(byte % 8 * 31 for byte in secret(1))
    assert len(set(eight)) == 8
    assert len(Keyring.from_secrets([eight]).derive("x").versions) == 1


def test_no_random_key_is_refused() -> None:
    for number in range(5_000):
        assert Keyring.from_secrets([secret(number)]).versions


def test_a_refusal_never_shows_the_key() -> None:
    weak = b"hunter2" * 5
    with pytest.raises(WeakKey) as refused:
        Keyring.from_secrets([weak])
    assert "hunter2" not in str(refused.value) + repr(refused.value)


def test_a_weak_key_is_a_value_error_with_its_place() -> None:
    with pytest.raises(ValueError, match="secret key 2") as refused:
        Keyring.from_secrets([secret(1), b"short"])
    assert isinstance(refused.value, WeakKey)
    assert refused.value.position == 2


def test_a_subkey_is_one_block_of_hkdf_expand() -> None:
    _, key = Keyring.from_secrets([secret(1)]).derive("cookie").newest
    expected = hmac.new(secret(1), b"curfew purpose: cookie\x01", hashlib.sha256).digest()
    assert key == expected
    assert len(key) == 32


def test_the_newest_key_comes_first_and_all_are_there() -> None:
    keys = Keyring.from_secrets([secret(2), secret(1)]).derive("cookie")
    alone = Keyring.from_secrets([secret(2)]).derive("cookie")
    assert keys.newest == alone.newest
    assert keys.by_version[keys.newest[0]] == keys.newest[1]
    assert len(keys.by_version) == 2


def test_prepending_a_key_renumbers_nothing() -> None:
    before = Keyring.from_secrets([secret(1)]).derive("cookie")
    after = Keyring.from_secrets([secret(3), secret(2), secret(1)]).derive("cookie")
    assert after.newest != before.newest
    assert dict(before.by_version).items() <= dict(after.by_version).items()


def test_versions_are_positive_and_fit_31_bits() -> None:
    for number in range(200):
        (version,) = Keyring.from_secrets([secret(number)]).derive("x").versions
        assert 1 <= version < 2**31


@pytest.mark.proves("A13")
def test_purposes_have_unrelated_keys() -> None:
    ring = Keyring.from_secrets([secret(1)])
    keys = {ring.derive(purpose).newest[1] for purpose in ("", "cookie", "csrf", "cookie ", "C")}
    assert len(keys) == 5
    assert secret(1) not in keys


def test_a_purpose_is_derived_once() -> None:
    ring = Keyring.from_secrets([secret(1)])
    assert ring.derive("cookie") is ring.derive("cookie")


def test_derived_keys_cannot_be_changed() -> None:
    keys = Keyring.from_secrets([secret(1)]).derive("cookie")
    with pytest.raises(TypeError):
        keys.by_version[1] = b"mine"  # type: ignore[index]  # the very thing that must fail


def test_repr_shows_versions_and_nothing_else() -> None:
    ring = Keyring.from_secrets([secret(2), secret(1)])
    keys = ring.derive("cookie")
    assert repr(ring) == f"Keyring(versions={keys.versions})"
    assert repr(keys) == f"DerivedKeys(versions={keys.versions})"


def test_a_new_secret_is_43_characters_and_never_the_same() -> None:
    texts = [new_secret() for _ in range(50)]
    assert {len(text) for text in texts} == {43}
    assert len(set(texts)) == 50
    ring = Keyring.from_secrets([parse_secret(text) for text in texts])
    assert len(ring.derive("x").versions) == 50


@pytest.mark.parametrize("size", [32, 33, 34, 48])
def test_secrets_are_read_with_and_without_padding(size: int) -> None:
    raw = (secret(1) * 2)[:size]
    padded = urlsafe_b64encode(raw).decode()
    assert parse_secret(padded) == raw
    assert parse_secret(padded.rstrip("=")) == raw
    assert parse_secret(f" {padded}\n") == raw


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "A" * 41,
        "with space inside it, so not base64url",
        "é" * 43,
        "\ud800" * 43,
        "+" * 43,  # the other base64 alphabet
        "/" * 43,
        "A" * 42 + "B",  # the last character carries bits that no byte has
        "A=" * 20,
        "AAAA\x00AAA",
    ],
)
def test_bad_text_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(WeakKey) as refused:
        parse_secret(text)
    assert str(refused.value).startswith("the secret key is not base64url text; make one with")
    assert len(text) == 1 or text not in str(refused.value)


def test_empty_text_is_an_empty_key_which_the_ring_refuses() -> None:
    with pytest.raises(WeakKey, match="0 bytes"):
        Keyring.from_secrets([parse_secret("")])


def test_order_alone_decides_which_key_writes() -> None:
    numbers = [secret(n) for n in range(4)]
    rings = [Keyring.from_secrets(numbers[n:] + numbers[:n]) for n in range(4)]
    newest = [ring.derive("cookie").newest[0] for ring in rings]
    assert all(one != other for one, other in pairwise(newest))
    assert {frozenset(ring.derive("cookie").versions) for ring in rings} == {frozenset(newest)}


def test_a_keyring_that_adopts_other_keys_changes_what_was_derived_from_it() -> None:
    ring = Keyring.from_secrets([secret(1)])
    held, told = ring.derive("cookie"), []
    before = held.by_version
    ring.subscribe(lambda: told.append(ring.versions))
    other = Keyring.from_secrets([secret(2), secret(1)])
    ring.adopt(other)
    assert ring.versions == other.versions
    assert ring.derive("cookie") is held
    assert held == other.derive("cookie")
    assert held.by_version is not before
    assert ring.derive("csrf") == other.derive("csrf")
    assert told == [other.versions]


@pytest.mark.parametrize(
    ("running", "wanted", "both"),
    [([1], [2, 1], [1, 2]), ([2, 1], [2], [2, 1]), ([1], [1], [1]), ([2, 1], [3, 2], [2, 1, 3])],
)
def test_while_keys_change_all_are_read_and_the_old_one_writes(
    running: list[int], wanted: list[int], both: list[int]
) -> None:
    keys = joined([secret(each) for each in running], [secret(each) for each in wanted])
    assert keys == tuple(secret(each) for each in both)
