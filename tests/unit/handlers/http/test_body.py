"""Bodies: exactly the declared fields of the declared types, in JSON, or the request is refused."""

import pytest

from handlers.http.body import Body, CheckedBody, Fields, read_json, read_object
from handlers.http.problems import Problem, ProblemRaised
from handlers.http.schemas import BOOLEAN, CREDENTIAL, DATA, END_OTHERS, TEXT
from tests.support.clients.requests import request

BODY = Body(
    {"name": TEXT, "credential": CREDENTIAL},
    optional={"code": TEXT, "end_other_sessions": END_OTHERS, "again": BOOLEAN},
)
WHOLE = '{"name": "anna", "credential": {"id": "x"}}'


def read(text: str, body: Body = BODY, media_type: str = "application/json") -> Fields:
    """Return the fields of a request with this body."""
    return body.read(request(("Content-Type", media_type), body=text.encode()))


def refusal(text: str, body: Body = BODY, media_type: str = "application/json") -> Problem:
    """Return the problem that a request with this body meets."""
    with pytest.raises(ProblemRaised) as raised:
        read(text, body, media_type)
    return raised.value.problem


def test_fields_come_as_they_were_sent() -> None:
    fields = read('{"name": " Anna\\u0000 ", "credential": {"id": 1}, "again": true}')
    assert fields.text("name") == " Anna\0 "
    assert fields.mapping("credential") == {"id": 1}
    assert fields.flag("again") is True
    assert "again" in fields
    assert "code" not in fields


def test_a_field_that_was_not_sent_has_its_declared_default() -> None:
    fields = read(WHOLE)
    assert fields.flag("end_other_sessions") is True
    assert fields.flag("again") is False
    assert not fields.text("code")
    assert read(WHOLE[:-1] + ', "end_other_sessions": false}').flag("end_other_sessions") is False


@pytest.mark.parametrize("missing", ["name", "credential"])
def test_a_required_field_must_be_there(missing: str) -> None:
    present = {"name": '"name": "anna"', "credential": '"credential": {}'}
    del present[missing]
    problem = refusal("{" + ", ".join(present.values()) + "}")
    assert (problem.status, problem.slug) == (400, "bad-request")
    assert missing in problem.detail


def test_an_unknown_field_is_refused_and_shown_in_ascii_and_cut() -> None:
    problem = refusal(WHOLE[:-1] + ', "\\u202e' + "x" * 99 + '": 1}')
    assert problem.slug == "bad-request"
    assert problem.detail.endswith("'\\u202e" + "x" * 39 + "'.")


@pytest.mark.parametrize("value", ["1", "null", '["anna"]', "true", "{}"])
def test_a_text_is_nothing_but_a_text(value: str) -> None:
    problem = refusal(f'{{"name": {value}, "credential": {{}}}}')
    assert (problem.slug, "`name`" in problem.detail) == ("bad-request", True)


@pytest.mark.parametrize("value", ["1", "0", '"true"', "null"])
def test_a_truth_value_is_nothing_but_true_or_false(value: str) -> None:
    assert refusal(f'{WHOLE[:-1]}, "again": {value}}}').slug == "bad-request"


@pytest.mark.parametrize("text", ["[]", '"anna"', "null", "1"])
def test_a_body_is_an_object(text: str) -> None:
    assert refusal(text).slug == "bad-request"
    assert refusal(text, Body(free_form=DATA)).slug == "bad-request"


@pytest.mark.parametrize(
    "text", ["", "{", "{'name': 1}", '{"a": NaN}', '{"a": 1, "a": 2}', "\ufeff{}"]
)
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    assert refusal(text).slug == "bad-request"


def test_what_cannot_be_stored_is_refused() -> None:
    problem = refusal('{"a": "\\ud800"}', Body(free_form=DATA))
    assert (problem.slug, problem.detail[:24]) == ("bad-request", "The body cannot be kept.")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused_before_the_body_is_read(media_type: str) -> None:
    assert refusal("{", media_type=media_type).status == 415


@pytest.mark.parametrize("media_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_a_media_type_may_have_parameters_and_any_case(media_type: str) -> None:
    assert read(WHOLE, media_type=media_type).text("name") == "anna"


def test_a_free_form_body_takes_every_field() -> None:
    values = read('{"a": null, "b": [1]}', Body(free_form=DATA)).values
    assert values == {"a": None, "b": [1]}


def test_the_schema_says_what_is_read() -> None:
    schema = BODY.schema
    assert set(schema["properties"]) == {*BODY.required, *BODY.optional}
    assert schema["required"] == ["name", "credential"]
    assert schema["additionalProperties"] is False
    assert Body(free_form=DATA).schema is DATA


def test_an_application_can_read_a_body_by_python_types() -> None:
    sent = request(("Content-Type", "application/json"), body=b'{"note": "x", "stars": 3}')
    assert read_json(sent) == {"note": "x", "stars": 3}
    assert read_object(sent, {"note": str}, {"stars": int}) == {"note": "x", "stars": 3}
    with pytest.raises(ProblemRaised):
        read_object(sent, {"note": str})
    with pytest.raises(ProblemRaised):
        read_object(sent, {"note": str}, {"stars": bool})


CHECKED = CheckedBody({"seats": {"type": "integer", "maximum": 9}}, {"tags": {"type": "array"}})


def test_the_body_of_an_application_is_checked_by_all_that_it_declares() -> None:
    assert read('{"seats": 9, "tags": ["a"]}', CHECKED).values == {"seats": 9, "tags": ["a"]}
    free = CheckedBody(free_form={"type": "object", "additionalProperties": {"type": "string"}})
    assert read('{"a": "b"}', free).text("a") == "b"
    for text, body, told in (
        ('{"seats": 10}', CHECKED, "The field `seats` is too large."),
        ('{"tags": []}', CHECKED, "The field `seats` is missing."),
        ('{"seats": 1, "x": 1}', CHECKED, "The body has a field too many: 'x'."),
        ('{"a": 1}', free, "The body has 'a', which has the wrong type."),
    ):
        assert refusal(text, body).detail == told


def test_what_nobody_would_check_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="oneOf"):
        CheckedBody({"a": {"oneOf": []}})
