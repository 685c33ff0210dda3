import inspect
import json
from collections.abc import Iterator
from functools import cache
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import (
    Hidden,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from runner.config.signatures.constraints import ITEMS, constraints_of
from runner.config.signatures.hidden import shown
from runner.schemas import accepts, words

VALUES = [
    *(None, True, False, 0, 1, 2, 7, 100, 10**6, 2**31, 2**32 - 1, 2**32, -1, -2),
    *(0.0, 0.5, 1.0, 2.0, -0.5, 1e-9, 1e308, inf, -inf, nan),
    *("", "text", "auto", "l2", "balanced", "warn", "None", "0"),
    *([], [1], [0.5, 1.0], ["a"], [[1, 2], [3]], [None]),
]
KEYWORDS = {
    *("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "anyOf"),
    *("x-infinite", "x-hidden", "items"),
}


@cache
def estimators() -> tuple[type, ...]:
    return tuple(kind for _, kind in all_estimators())


def learners() -> list[type]:
    return [kind for kind in estimators() if hasattr(kind, "partial_fit")]


def is_accepted_there(constraints: Any, value: Any) -> bool:
    try:
        validate_parameter_constraints({"it": constraints}, {"it": value}, "somebody")
    except InvalidParameterError:
        return False
    return True


def values_near(constraints: Any) -> Iterator[Any]:
    for constraint in constraints if isinstance(constraints, list | tuple) else []:
        inner = constraint.constraint if isinstance(constraint, Hidden) else constraint
        if isinstance(inner, Options):
            named = [name for name in inner.options if isinstance(name, str | int | float)]
            yield from named
            yield from (f"{name}x" for name in named)
        for bound in (getattr(inner, "left", None), getattr(inner, "right", None)):
            if bound is not None:
                yield from (bound, bound + 1, bound - 1, float(bound), bound + 0.5)
                yield from (bound * (1 + 1e-9), bound * (1 - 1e-9))


def disagreements(kind: type, values: Any) -> Iterator[tuple[str, Any, bool]]:
    schemas = constraints_of(kind)
    for name, constraints in getattr(kind, "_parameter_constraints", {}).items():
        for value in values(constraints):
            there = is_accepted_there(constraints, value)
            if accepts(schemas[name], value) != there:
                yield name, value, there


def is_truth_for_a_number(kind: type, name: str, value: Any) -> bool:
    """Python counts true as 1, and so does scikit-learn; a file that says so is mistaken."""
    constraints = kind._parameter_constraints[name]
    return isinstance(value, bool) and is_accepted_there(constraints, int(value))


def test_what_every_estimator_of_scikit_learn_accepts_is_accepted():
    refused = [
        (kind.__name__, name, value)
        for kind in estimators()
        for name, value, there in disagreements(kind, lambda near: [*VALUES, *values_near(near)])
        if there and not is_truth_for_a_number(kind, name, value) and name not in ITEMS
    ]
    assert refused == []


def test_what_an_estimator_with_partial_fit_refuses_is_refused():
    assert len(learners()) == 29
    accepted = {
        (kind.__name__, name, repr(value))
        for kind in learners()
        for name, value, there in disagreements(kind, lambda near: [*VALUES, *values_near(near)])
        if not there and not isinstance(value, list)
    }
    assert accepted == {("SelectFromModel", "threshold", "nan")}  # it may be infinite


@settings(max_examples=60, deadline=None)
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9))
def test_any_scalar_is_judged_as_scikit_learn_judges_it(value):
    for kind in learners():
        for name, _, there in disagreements(kind, lambda _: [value]):
            exceptions = [is_truth_for_a_number(kind, name, value)] if there else []
            if not there and isinstance(value, float) and isnan(value):
                exceptions.append((kind.__name__, name) == ("SelectFromModel", "threshold"))
            assert any(exceptions), (kind, name)


def test_every_default_is_accepted():
    refused = [
        (kind.__name__, parameter.name)
        for kind in estimators()
        for parameter in inspect.signature(kind).parameters.values()
        if isinstance(parameter.default, str | int | float | list | None)
        and not accepts(constraints_of(kind).get(parameter.name, {}), parameter.default)
    ]
    assert refused == [("SelfTrainingClassifier", "estimator")]  # which refuses it itself


def test_only_words_are_used_that_every_reader_of_a_schema_knows():
    def used(schema: dict[str, Any]) -> Iterator[str]:
        yield from schema
        for part in schema.get("anyOf", ()):
            yield from used(part)

    schemas = [schema for kind in estimators() for schema in constraints_of(kind).values()]
    assert {word for schema in schemas for word in used(schema)} == KEYWORDS
    assert json.loads(json.dumps(schemas)) == schemas
    assert all(words(schema) for schema in schemas)


def test_what_scikit_learn_hides_is_accepted_and_not_told():
    schema = constraints_of(SGDOneClassSVM)["learning_rate"]
    assert accepts(schema, "pa1")
    assert words(shown(schema)) == "adaptive, constant, invscaling or optimal"


@pytest.mark.parametrize(
    ("kind", "name", "schema"),
    [
        (
            SGDOneClassSVM,
            "random_state",
            [{"type": "integer", "minimum": 0, "maximum": 2**32 - 1}, {"type": "null"}],
        ),
        (SGDOneClassSVM, "verbose", [{"type": "integer", "minimum": 0}, {"type": "boolean"}]),
        (FunctionTransformer, "func", [{"type": "object"}, {"type": "null"}, {"type": "string"}]),
        (CountVectorizer, "preprocessor", [{"type": "object"}, {"type": "null"}]),
        (
            CountVectorizer,
            "max_df",
            [
                {"type": "number", "minimum": 0.0, "maximum": 1.0},
                {"type": "integer", "minimum": 1},
            ],
        ),
        (
            OrdinalEncoder,
            "unknown_value",
            [{"type": "integer"}, {"type": "number", "x-infinite": True}, {"type": "null"}],
        ),
    ],
)
def test_constraints_become_schemas(kind, name, schema):
    assert constraints_of(kind)[name] == {"anyOf": schema}


def test_what_scikit_learn_looks_at_when_it_learns_is_looked_at_before():
    schema = constraints_of(MLPClassifier)["hidden_layer_sizes"]
    assert [accepts(schema, value) for value in ([10, 5], 10, [10, 0], [0.5])] == [
        *(True, True),
        *(False, False),
    ]


def test_a_tuple_is_written_as_a_list():
    assert constraints_of(CountVectorizer)["ngram_range"] == {"type": "array"}


def test_what_cannot_be_said_is_anything():
    constraints = {"a": "no_validation", "b": ["a rule of tomorrow"], "c": None}
    odd = type("Odd", (), {"_parameter_constraints": constraints})
    assert constraints_of(odd) == {"a": {}, "b": {}, "c": {}}


def test_a_class_without_constraints_has_no_schemas():
    assert constraints_of(dict) == {}


def test_names_among_several_keep_their_rules_together():
    constraints = {"a": [StrOptions({"y", "x"}), None, "boolean"]}
    own = type("Own", (), {"_parameter_constraints": constraints})
    assert words(constraints_of(own)["a"]) == "x or y, or null, or true or false"
