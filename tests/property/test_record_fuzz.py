"""The codecs of accounts and activity against changed records: nothing opens that should not."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.account import Account
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.factors import Factors, Passkey, Totp
from server.core.one_time_codes import hash_recovery_codes
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store import accounts, activity
from server.store.account_contract import StoredAccount
from server.store.accounts import account_from
from server.store.activity import StoredActivity, content_of, entries_from
from server.store.documents import Document, DocumentCodec, UnreadableDocument
from tests.support.engine.keys import key

SEALER: Final = Sealer(Keyring.from_secrets([key("new")]))
ACCOUNTS: Final = DocumentCodec(SEALER, accounts.PURPOSE)
LISTS: Final = DocumentCodec(SEALER, activity.PURPOSE)
ACCOUNT: Final = Account(
    user="ada",
    password_hash="$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA",
    admin=True,
    disabled=False,
    created_at=1.5,
    factors=Factors(
        totp=Totp("JBSWY3DPEHPK3PXP", 7, 1.0),
        passkeys=(Passkey("id", "key", "localhost", 3, "a key", 1.0),),
        recovery=hash_recovery_codes(["one", "two"], bytes(16)),
    ),
)
ENTRIES: Final = (ActivityEntry(AuditEvent.LOGIN_SUCCESS, 2.0, 1.0, ip="192.0.2.1"),)


@dataclass(frozen=True)
class Subject:
    """One of the two.

    Attributes:
        record: a genuine record of Ada, at revision 7.
        opened: what it reads as; None of what does not open.
        whole: what it must read as.
    """

    record: bytes
    opened: Callable[[bytes, str], StoredAccount | StoredActivity | None]
    whole: StoredAccount | StoredActivity


def account_of(value: bytes, user: str) -> StoredAccount | None:
    """The account that opens, if one does."""
    found = ACCOUNTS.decode(value, user)
    if not isinstance(found, Document):
        return None
    return StoredAccount(account_from(found.content), found.revision, found.stale_key)


def list_of(value: bytes, user: str) -> StoredActivity | None:
    """The list that opens, if one does."""
    found = LISTS.decode(value, user)
    if not isinstance(found, Document):
        return None
    return StoredActivity(entries_from(found.content), found.revision, found.stale_key)


SUBJECTS: Final = {
    "account": Subject(
        ACCOUNTS.encode(asdict(ACCOUNT), "ada", revision=7, operation="a1"),
        account_of,
        StoredAccount(ACCOUNT, 7, stale_key=False),
    ),
    "activity": Subject(
        LISTS.encode(content_of(ENTRIES), "ada", revision=7, operation="a1"),
        list_of,
        StoredActivity(ENTRIES, 7),
    ),
}
each = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
words = st.text("0123456789abce -+_.\x00", max_size=12).map(str.encode) | st.just(b"9" * 5_000)


@each
def test_a_record_comes_back_as_it_was(subject: Subject) -> None:
    assert subject.opened(subject.record, "ada") == subject.whole


@pytest.mark.proves("A85", "A86")
@each
def test_no_changed_byte_cut_or_other_name_opens(subject: Subject) -> None:
    header, _, box = subject.record.partition(b"\n")
    for place in range(len(box)):
        changed = box[:place] + bytes([box[place] ^ 1]) + box[place + 1 :]
        assert subject.opened(header + b"\n" + changed, "ada") is None
        assert subject.opened(header + b"\n" + box[:place], "ada") is None
    assert subject.opened(subject.record, "eve") is None


@pytest.mark.proves("A85", "A92")
@each
@given(value=st.binary())
def test_no_bytes_are_a_record(subject: Subject, value: bytes) -> None:
    assert subject.opened(value, "ada") is None
    assert LISTS.decode(value, "ada") == UnreadableDocument(0) or value[:1].isdigit()


@pytest.mark.proves("A85", "A88")
@each
@given(header=st.lists(words, max_size=3).map(b" ".join))
def test_behind_any_header_it_is_as_it_was_sealed_or_does_not_open(
    subject: Subject, header: bytes
) -> None:
    box = subject.record.partition(b"\n")[2]
    found = subject.opened(header + b"\n" + box, "ada")
    if isinstance(found, StoredAccount):
        assert found.account == ACCOUNT
    elif found is not None:
        assert found.entries == ENTRIES


@each
@pytest.mark.parametrize(
    "revision", [b"q", b"", b"0", b"07", b"-7", b"7.0", b"9" * 16, b"\xd9\xa7"]
)
def test_a_revision_that_no_program_of_ours_writes_makes_it_unreadable(
    subject: Subject, revision: bytes
) -> None:
    box = subject.record.partition(b"\n")[2]
    assert subject.opened(revision + b" op \n" + box, "ada") is None
    assert subject.opened(b"1 op \n" + box, "ada") is not None
