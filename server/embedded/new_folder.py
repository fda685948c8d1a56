"""A data folder that nobody has used yet, which may be a mistake.

By default it is `data` in the folder where the program is started. So somebody who starts it from
elsewhere gets a second, empty store, and looks for the accounts in vain.
"""

from pathlib import Path

from server.embedded.paths import has_store
from server.embedded.store import PROJECT


def note_of_new_folder(
    data_dir: Path, *, has_own_keys: bool, project: Path = PROJECT
) -> str | None:
    """Return what to tell the person before the embedded store is made; None if it is there.

    Args:
        data_dir: the data folder.
        has_own_keys: whether the secret keys are in it, too.
        project: the folder of the program.
    """
    if has_store(data_dir):
        return None
    keys = " and its own secret keys" if has_own_keys else ""
    text = f"The data folder {data_dir} is new: it begins with an empty store{keys}."
    other = project / "data"
    if other.resolve() != data_dir.resolve() and has_store(other):
        return f"{text} Another store is in {other}; CURFEW_DATA_DIR={other} chooses it."
    return f"{text} If your data is elsewhere, set CURFEW_DATA_DIR."
