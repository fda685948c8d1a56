"""The sealer: a box opens for its own purpose, context and keys, and for nothing else."""

import pytest

from server.crypto.keyring import Keyring
from server.crypto.sealer import Opened, Sealer, _binding, version_of_box
from tests.support.engine.keys import KEY, key

OLD = KEY
NEW = key("new")
PLACE = {"purpose": "record", "context": "00abc"}


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(Keyring.from_secrets([OLD]))


@pytest.mark.parametrize("plaintext", [b"", b"x", b"\x00" * 100_000])
def test_what_was_sealed_comes_back(sealer: Sealer, plaintext: bytes) -> None:
    box = sealer.seal(plaintext, **PLACE)
    assert sealer.open(box, **PLACE) == Opened(plaintext, stale=False)


@pytest.mark.proves("11.3.1")
def test_the_layout_is_format_key_version_nonce_and_ciphertext(sealer: Sealer) -> None:
    box = sealer.seal(b"four", **PLACE)
    (version,) = Keyring.from_secrets([OLD]).derive("record").versions
    assert box[0] == 1
    assert int.from_bytes(box[1:5]) == version
    assert len(box) == 1 + 4 + 24 + len(b"four") + 16
    assert b"four" not in box


@pytest.mark.proves("11.3.4")
def test_no_nonce_comes_twice(sealer: Sealer) -> None:
    nonces = {sealer.seal(b"same", **PLACE)[5:29] for _ in range(2000)}
    assert len(nonces) == 2000


@pytest.mark.parametrize(
    ("purpose", "context"),
    [
        ("record", "00abd"),
        ("record", "00ab"),
        ("record", ""),
        ("event", "00abc"),
        ("record00", "abc"),
        ("recor", "d00abc"),
        ("", "record00abc"),
        ("record", "00abc\x00"),
        ("record", "\ud800"),
    ],
)
@pytest.mark.proves("A86", "9.2.2")
def test_a_box_moved_elsewhere_does_not_open(sealer: Sealer, purpose: str, context: str) -> None:
    box = sealer.seal(b"data", **PLACE)
    assert sealer.open(box, purpose=purpose, context=context) is None


def test_the_binding_holds_even_between_purposes_that_share_a_key() -> None:
    class OneKey(Keyring):
        """Derives the same keys for every purpose, so that the binding stands alone."""

        def derive(self, purpose: str) -> object:  # type: ignore[override]  # test double
            del purpose
            return super().derive("all")

    sealer = Sealer(OneKey.from_secrets([OLD]))
    box = sealer.seal(b"data", purpose="ab", context="c")
    assert sealer.open(box, purpose="ab", context="c") is not None
    assert sealer.open(box, purpose="a", context="bc") is None
    assert sealer.open(box, purpose="abc", context="") is None
    assert sealer.open(box, purpose="xy", context="c") is None


def test_every_text_is_a_possible_context(sealer: Sealer) -> None:
    box = sealer.seal(b"data", purpose="record", context="\ud800 é \x00")
    assert sealer.open(box, purpose="record", context="\ud800 é \x00") is not None


def test_no_two_contexts_are_the_same(sealer: Sealer) -> None:
    box = sealer.seal(b"data", purpose="record", context="\ud800")
    assert sealer.open(box, purpose="record", context="?") is None
    assert sealer.open(box, purpose="record", context="\ud801") is None


def test_the_binding_covers_the_header() -> None:
    bindings = {
        _binding(header, "record", "00abc") for header in (b"\x01key1", b"\x02key1", b"\x01key2")
    }
    assert len(bindings) == 3


@pytest.mark.proves("11.2.2")
def test_an_old_key_still_opens_and_says_that_it_is_old(sealer: Sealer) -> None:
    box = sealer.seal(b"data", **PLACE)
    after = Sealer(Keyring.from_secrets([NEW, OLD]))
    assert after.open(box, **PLACE) == Opened(b"data", stale=True)
    assert after.open(after.seal(b"data", **PLACE), **PLACE) == Opened(b"data", stale=False)


def test_a_retired_key_opens_nothing(sealer: Sealer) -> None:
    box = sealer.seal(b"data", **PLACE)
    assert Sealer(Keyring.from_secrets([NEW])).open(box, **PLACE) is None


@pytest.mark.proves("A7")
def test_only_the_newest_key_writes(sealer: Sealer) -> None:
    box = Sealer(Keyring.from_secrets([NEW, OLD])).seal(b"data", **PLACE)
    assert sealer.open(box, **PLACE) is None


@pytest.mark.parametrize("format_version", [0, 2, 255])
def test_another_format_does_not_open(sealer: Sealer, format_version: int) -> None:
    box = sealer.seal(b"data", **PLACE)
    assert sealer.open(bytes([format_version]) + box[1:], **PLACE) is None


def test_a_box_relabelled_to_another_key_does_not_open(sealer: Sealer) -> None:
    box = sealer.seal(b"data", **PLACE)
    both = Sealer(Keyring.from_secrets([NEW, OLD]))
    relabelled = both.seal(b"", **PLACE)[:5] + box[5:]
    assert both.open(relabelled, **PLACE) is None


def test_nothing_may_stand_around_a_box(sealer: Sealer) -> None:
    box = sealer.seal(b"data", **PLACE)
    assert sealer.open(box + b"\x00", **PLACE) is None
    assert sealer.open(b"\x00" + box, **PLACE) is None


@pytest.mark.parametrize("length", range(50))
def test_short_boxes_do_not_open(sealer: Sealer, length: int) -> None:
    assert sealer.open(sealer.seal(b"12345", **PLACE)[:length], **PLACE) is None


def test_a_box_names_the_version_of_its_key(sealer: Sealer) -> None:
    box = sealer.seal(b"", **PLACE)
    assert version_of_box(box) == Keyring.from_secrets([OLD]).versions[0]
    assert version_of_box(box[:-1]) is None
    assert version_of_box(b"\x02" + box[1:]) is None
    assert version_of_box(b"") is None


def test_repr_does_not_show_the_plaintext() -> None:
    assert "secret" not in repr(Opened(b"secret", stale=False))


def test_a_sealer_follows_its_keyring_to_other_keys() -> None:
    ring = Keyring.from_secrets([OLD])
    sealer = Sealer(ring)
    old_box = sealer.seal(b"x", **PLACE)
    ring.adopt(Keyring.from_secrets([NEW, OLD]))
    assert sealer.open(old_box, **PLACE) == Opened(b"x", stale=True)
    new_box = sealer.seal(b"y", **PLACE)
    ring.adopt(Keyring.from_secrets([NEW]))
    assert sealer.open(old_box, **PLACE) is None
    assert sealer.open(new_box, **PLACE) == Opened(b"y", stale=False)
