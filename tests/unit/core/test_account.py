"""The account: who may sign in, and how a name is shown."""

from dataclasses import replace

from server.core.account import Account

ADA = Account("ada", "hash", admin=False, disabled=False, created_at=1.0)


def test_a_disabled_account_and_one_that_is_being_renamed_cannot_sign_in() -> None:
    assert ADA.may_sign_in
    assert not replace(ADA, disabled=True).may_sign_in
    assert not replace(ADA, moving_to="countess").may_sign_in
    assert replace(ADA, moved_from="countess").may_sign_in


def test_a_name_is_shown_as_its_owner_spelled_it() -> None:
    assert ADA.name == "ada"
    assert replace(ADA, spelling="Ada").name == "Ada"
