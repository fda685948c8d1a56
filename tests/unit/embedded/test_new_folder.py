"""A data folder that nobody has used yet is told of, and where another one is."""

from pathlib import Path

from server.embedded.new_folder import note_of_new_folder


def test_a_folder_with_a_store_is_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    assert note_of_new_folder(tmp_path, has_own_keys=True) is None


def test_a_new_folder_is_named_with_what_is_new_in_it(tmp_path: Path) -> None:
    note = note_of_new_folder(tmp_path / "data", has_own_keys=True, project=tmp_path / "program")
    assert note == (
        f"The data folder {tmp_path}/data is new: it begins with an empty store and its own secret "
        "keys. If your data is elsewhere, set CURFEW_DATA_DIR."
    )
    note = note_of_new_folder(tmp_path / "data", has_own_keys=False, project=tmp_path / "program")
    assert note is not None
    assert "keys" not in note


def test_the_store_beside_the_program_is_named(tmp_path: Path) -> None:
    used = tmp_path / "program" / "data"
    (used / "valkey").mkdir(parents=True)
    note = note_of_new_folder(tmp_path / "data", has_own_keys=True, project=tmp_path / "program")
    assert note is not None
    assert note.endswith(f"Another store is in {used}; CURFEW_DATA_DIR={used} chooses it.")
    assert "\n" not in note
