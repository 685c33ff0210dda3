from fractions import Fraction

import numpy as np
import pytest

from runner.schemas import accepts, names, words

INTEGER, NUMBER, TEXT = {"type": "integer"}, {"type": "number"}, {"type": "string"}
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, "anything"),
        (INTEGER, "an integer"),
        (INTEGER | {"minimum": 1}, "an integer of at least 1"),
        (INTEGER | {"maximum": 5}, "an integer of at most 5"),
        (INTEGER | {"minimum": 0, "maximum": 5}, "an integer from 0 to 5"),
        (INTEGER | {"exclusiveMinimum": 0}, "an integer above 0"),
        (NUMBER, "a finite number"),
        (NUMBER | {"x-infinite": True}, "a number"),
        (NUMBER | {"minimum": 0.5}, "a number of at least 0.5"),
        (NUMBER | {"minimum": 0, "maximum": 1}, "a number from 0 to 1"),
        (NUMBER | {"minimum": 0, "exclusiveMaximum": 1}, "a number of at least 0 and below 1"),
        (NUMBER | {"exclusiveMinimum": 0, "maximum": 1}, "a number above 0 and at most 1"),
        (
            NUMBER | {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "a number above 0 and below 1",
        ),
        (NUMBER | {"exclusiveMaximum": 1, "x-infinite": True}, "a number below 1"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "null"}, "null"),
        ({"const": None}, "null"),
        ({"const": "auto"}, "auto"),
        ({"enum": ["float32", "float64"]}, "float32 or float64"),
        ({"enum": ["l1", None, True, 3, ""]}, 'l1, null, true, 3 or ""'),
        (
            {"enum": [f"name{i}" for i in range(99)]},
            "one of 99 names, such as name0, name1, name2",
        ),
        (TEXT, "text"),
        (TEXT | {"minLength": 1}, "text that is not empty"),
        (TEXT | {"minLength": 2}, "text of at least 2 characters"),
        (TEXT | {"minLength": 1, "maxLength": 9}, "text of 1 to 9 characters"),
        (TEXT | {"minLength": 1, "maxLength": 1}, "one character"),
        ({"type": "array"}, "a list"),
        ({"type": "array", "items": {}, "minItems": 1}, "a list"),
        ({"type": "array", "items": NUMBER}, "a list, each item a finite number"),
        ({"type": "array", "items": TEXT, "minItems": 2}, "a list of at least 2, each item text"),
        ({"type": "object"}, "a mapping"),
        ({"type": "object", "additionalProperties": {}}, "a mapping"),
        ({"type": "object", "additionalProperties": False}, "a mapping"),
        ({"type": "object", "additionalProperties": TEXT}, "a mapping, each value text"),
        ({"anyOf": [INTEGER, {"type": "null"}]}, "an integer, or null"),
        ({"anyOf": [TEXT, TEXT, {"enum": ["a", "b"]}]}, "text, or a or b"),
    ],
)
def test_a_schema_is_told_in_plain_words(schema, said):
    assert words(schema) == said


@pytest.mark.parametrize(
    ("schema", "allowed", "refused"),
    [
        ({}, [None, 1, "a", [object()], {}], []),
        (INTEGER, [0, -3, np.int8(3), 10**400], [1.0, np.float64(1), True, np.True_, "1", None]),
        (INTEGER | {"maximum": 5, "exclusiveMinimum": 0}, [1, 5], [0, 6]),
        (
            NUMBER,
            [0, -1.5, np.float32(2), Fraction(1, 3), 10**400],
            [NAN, INF, -INF, True, "1", 1j],
        ),
        (NUMBER | {"x-infinite": True}, [0.5, INF, NAN, np.float32("inf")], [True, "inf", None]),
        (NUMBER | {"x-infinite": True, "minimum": 0}, [INF], [-INF, NAN]),
        (NUMBER | {"exclusiveMinimum": 0, "exclusiveMaximum": 1}, [0.5], [0, 1, np.float64(1)]),
        ({"type": "boolean"}, [True, np.False_], [0, 1, "true", None]),
        ({"type": "null"}, [None], [0, "", False, "null"]),
        ({"enum": ["a", 1, None]}, ["a", 1, 1.0, np.int64(1), None], ["b", True, [1], ["a"]]),
        ({"enum": [True]}, [True], [1, 1.0, "true"]),
        ({"const": 0}, [0, 0.0], [False, None, ""]),
        (TEXT | {"minLength": 1, "maxLength": 2}, ["a", "ab"], ["", "abc", b"a", 1, None]),
        ({"type": "array", "items": INTEGER}, [[], [1]], [(1,), "1", [1.5], {1}, np.array([1])]),
        ({"type": "array", "minItems": 2}, [[1, "a"]], [[1]]),
        ({"type": "object"}, [{}, {1: 2}], [[], [("a", 1)], None]),
        ({"type": "object", "additionalProperties": NUMBER}, [{}, {"a": 1}], [{"a": "1"}]),
        ({"type": "object", "additionalProperties": True}, [{}, {"a": 1}], [[]]),
        ({"type": "object", "additionalProperties": False}, [{}], [{"a": 1}]),
        ({"anyOf": [INTEGER, {"enum": ["auto"]}]}, [3, "auto"], ["3", None, 2.5]),
    ],
)
def test_a_schema_accepts_what_its_words_say(schema, allowed, refused):
    assert [value for value in allowed if not accepts(schema, value)] == []
    assert [value for value in refused if accepts(schema, value)] == []


def test_only_text_counts_as_a_name():
    nested = {"anyOf": [{"const": "auto"}, {"anyOf": [{"enum": ["a", 1, None]}, INTEGER]}]}
    assert names(nested) == ["auto", "a"]
    assert names(INTEGER) == []
