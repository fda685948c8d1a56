"""The signer: what one key signed, every ring with that key verifies."""

import pytest

from server.crypto.keyring import Keyring
from server.crypto.signer import Signer
from tests.support.engine.keys import key


def signer(*keys: str, purpose: str = "a purpose") -> Signer:
    """A signer under these keys."""
    return Signer(Keyring.from_secrets([key(each) for each in keys]), purpose)


def test_the_newest_key_signs_and_all_verify() -> None:
    proof = signer("new", "old").sign(["a", b"b"])
    assert signer("new").verify(proof, ["a", b"b"])
    assert not signer("old").verify(proof, ["a", b"b"])
    assert signer("new", "old").verify(signer("old").sign(["a"]), ["a"])


@pytest.mark.parametrize("other", [[], ["ab"], ["a", "b", ""], ["", "ab"], ["b", "a"], ["a", "B"]])
def test_other_values_have_another_proof(other: list[str]) -> None:
    assert not signer("one").verify(signer("one").sign(["a", "b"]), other)


def test_each_purpose_has_keys_of_its_own() -> None:
    assert not signer("one", purpose="x").verify(signer("one", purpose="y").sign(["a"]), ["a"])


@pytest.mark.proves("11.2.3")
def test_a_proof_is_not_cut_short() -> None:
    proof = signer("one").sign(["a"])
    assert len(proof.partition(":")[2]) == 64
    assert not any(signer("one").verify(proof[:end], ["a"]) for end in range(len(proof)))


@pytest.mark.parametrize(
    "hostile", ["", ":", "0:" + "0" * 64, "1" * 99 + ":", "x", "\ud800", "1:" + "é" * 64]
)
def test_hostile_proofs_are_false(hostile: str) -> None:
    assert not signer("one").verify(hostile, ["a", "\ud800"])
