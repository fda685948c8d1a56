"""A proof of the password survives its way through a challenge."""

from dataclasses import replace

import pytest

from server.accounts.password_proof import PasswordProof, proof_in
from server.crypto.challenges import Challenge
from server.store.contract import Epochs


@pytest.mark.parametrize("remember", [None, True, False])
def test_everything_comes_back(*, remember: bool | None) -> None:
    proof = PasswordProof("ada", 3, Epochs("shard", "user"), remember)
    assert proof_in(Challenge("id", 60.0, proof.as_facts())) == proof


def test_a_challenge_of_an_earlier_version_has_no_choice_in_it() -> None:
    proof = PasswordProof("ada", 3, Epochs("shard", "user"), remember=True)
    facts = {key: value for key, value in proof.as_facts().items() if key != "remember"}
    assert proof_in(Challenge("id", 60.0, facts)) == replace(proof, remember=None)
