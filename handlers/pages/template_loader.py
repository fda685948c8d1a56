"""Finds templates: in an application's own folders first, and then among ours.

An application's page needs few templates of its own. All others come from here, such as the page of
an error and the question for a password. There are two kinds of folders:

- The folder of one handler (`get_template_path`) is for that handler's pages. A template of ours is
  made of ours only, whatever names the handler's files have.
- The folders of the application are for all pages: its `base.html` stands around ours, too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tornado.template import BaseLoader, Loader, Template

OURS: Final = "curfew/"
"""Before the name of a template: ours is meant, even if the application has one of that name."""


class OwnThenOurs(Loader):
    """Loads the templates of an application's folder, and ours where it has none.

    Args:
        folder: the application's.
        ours: loads ours.
        options: as of Tornado's own loader.
    """

    def __init__(self, folder: str, ours: BaseLoader, **options: Any) -> None:
        super().__init__(folder, **options)
        self._ours = ours

    def load(self, name: str, parent_path: str | None = None) -> Template:
        """Return a template.

        Args:
            name: of the file.
            parent_path: of the template that asks for it.
        """
        if Path(self.root, self.resolve_path(name, parent_path)).is_file():
            return super().load(name, parent_path)
        return self._ours.load(name)


class Layers(Loader):
    """Loads the templates of all pages: of the application's folders, and then of ours.

    Args:
        folders: of the application, in the order in which they are searched.
        ours: the folder of ours.
        options: as of Tornado's own loader.
    """

    def __init__(self, folders: Sequence[str], ours: str, **options: Any) -> None:
        super().__init__(folders[0], **options)
        self._folders = [Path(each) for each in (*folders, ours)]

    def _create_template(self, name: str) -> Template:
        """Return a template, as Tornado's loaders make it."""
        folders = self._folders[-1:] if name.startswith(OURS) else self._folders
        paths = [each / name.removeprefix(OURS) for each in folders]
        path = next((each for each in paths if each.is_file()), paths[-1])
        return Template(path.read_bytes(), name=name, loader=self)
