"""What was typed is shown again in the form that was refused, and in no other."""

from types import SimpleNamespace
from typing import Any

from handlers.pages.typed_again import TypedAgain


def answering(path: str, *, changes_something: bool = True, **fields: str) -> TypedAgain:
    page: Any = SimpleNamespace(
        changes_something=changes_something,
        request=SimpleNamespace(path=path),
        field=lambda name: fields.get(name, ""),
        typed=lambda name: fields.get(name, "").strip(),
    )
    return TypedAgain(page)


def test_the_refused_form_has_what_was_typed() -> None:
    typed_again = answering("/a", name=" my phone ", box="on")
    assert typed_again.value("/a", "name") == "my phone"
    assert typed_again.is_ticked("/a", "box")
    assert not typed_again.is_ticked("/a", "another")


def test_other_forms_on_its_page_and_new_forms_begin_anew() -> None:
    for typed_again in (answering("/a", name="x"), answering("/b", changes_something=False)):
        assert typed_again.value("/b", "name") == ""
        assert typed_again.is_ticked("/b", "box")
