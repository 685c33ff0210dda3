import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.config.signatures.schema import model_of, problems_of
from runner.config.signatures.signature import Signature, signature_from, signature_of
from runner.errors import Problem

SGD = "sklearn.linear_model.SGDClassifier"
SEVERAL = "sklearn.multioutput.MultiOutputClassifier"


def nothing(value):
    return False


def told(dotted, node, ignore=nothing):
    return [*problems_of(signature_of("_target_", dotted), node, ignore)]


def of(**schemas) -> Signature:
    return Signature("Thing", schemas, (), {}, False, (), None, False)


def test_arguments_that_are_right_are_no_problem():
    assert told(SGD, {"loss": "log_loss", "alpha": 1e-3, "penalty": None}) == []
    assert told(SGD, {}) == []


@pytest.mark.parametrize(
    ("dotted", "node", "problem"),
    [
        (
            SGD,
            {"alhpa": 1},
            Problem("alhpa", "SGDClassifier has no parameter 'alhpa'", "did you mean 'alpha'?"),
        ),
        (
            SEVERAL,
            {"estimator": {}, "zzz": 1},
            Problem(
                "zzz",
                "MultiOutputClassifier has no parameter 'zzz'",
                "choose one of: estimator, n_jobs",
            ),
        ),
        (
            SEVERAL,
            {},
            Problem(
                "estimator", "must be set; got nothing", "write it in the file, or KEY=... here"
            ),
        ),
        (
            SGD,
            {"alpha": -1},
            Problem(
                "alpha",
                "must be a number of at least 0; got -1",
                "leave it out for the default, 0.0001",
            ),
        ),
        (
            SGD,
            {"penalty": "elastic_net"},
            Problem(
                "penalty",
                "must be elasticnet, l1 or l2, or null; got 'elastic_net'",
                "did you mean 'elasticnet'?",
            ),
        ),
        (
            SGD,
            {"penalty": "L1"},
            Problem(
                "penalty",
                "must be elasticnet, l1 or l2, or null; got 'L1'",
                "did you mean 'l1'?",
            ),
        ),
        (
            SGD,
            {"fit_intercept": 3},
            Problem(
                "fit_intercept",
                "must be true or false; got 3",
                "leave it out for the default, true",
            ),
        ),
        (
            SEVERAL,
            {"estimator": 3},
            Problem("estimator", "must be a mapping; got 3", ""),
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_do(dotted, node, problem):
    assert told(dotted, node) == [problem]


def test_all_mistakes_are_told_at_once():
    found = told(SEVERAL, {"n_jobs": 1.5, "copy": True})
    assert [problem.key for problem in found] == ["estimator", "n_jobs", "copy"]


def test_an_item_that_is_nearly_right_is_asked_for():
    (found,) = told("runner.evaluation.evaluation.Evaluation", {"scoring": ["r2", "rocauc"]})
    assert found.remedy.startswith("did you mean 'roc_auc'")


def test_a_long_value_is_not_told_to_its_end():
    (found,) = told(SGD, {"alpha": "x" * 100_000})
    assert len(found.said) < 300


def test_hidden_values_are_accepted_and_not_told():
    svm = "sklearn.linear_model.SGDOneClassSVM"
    assert told(svm, {"learning_rate": "pa1"}) == []
    (found,) = told(svm, {"learning_rate": "pa3"})
    assert "pa1" not in str(found)


def test_what_is_not_known_yet_is_not_judged():
    unknown = object()
    node = {"alpha": unknown, "class_weight": {"a": unknown}, "penalty": [unknown]}
    assert told(SGD, node, lambda value: value is unknown) == []
    assert len(told(SGD, {"penalty": [3]}, lambda value: value is unknown)) == 1


def test_a_key_that_is_not_known_is_one_whatever_its_value_is():
    assert len(told(SGD, {"alhpa": "???"}, lambda value: value == "???")) == 1


def test_a_class_that_takes_further_keywords_takes_any_key():
    class Open:
        def __init__(self, a: int, **others): ...

    assert [*problems_of(signature_from(Open), {"a": 1, "b": 2}, nothing)] == []


def test_names_that_pydantic_uses_itself_are_parameters_like_others():
    names = ["copy", "json", "schema", "validate", "model_config", "_private", "class", "1", "a b"]
    thing = of(**{name: {"type": "integer"} for name in names})
    assert [*problems_of(thing, dict.fromkeys(names, 1), nothing)] == []
    found = [*problems_of(thing, dict.fromkeys(names, "x"), nothing)]
    assert [problem.key for problem in found] == names


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.none() | st.text(max_size=3)))
def test_each_key_is_judged_for_itself(node):
    thing = of(a={"type": "integer"}, b={"enum": ["x", None]}, c={})
    wrong = {
        name
        for name, value in node.items()
        if name not in ("a", "b", "c")
        or (name == "a" and not isinstance(value, int))
        or (name == "b" and value not in ("x", None))
    }
    found = [problem.key for problem in problems_of(thing, node, nothing)]
    assert sorted(found) == sorted(wrong)


def test_a_model_is_made_once_and_is_the_schema_of_its_parameters():
    signature = signature_of("_target_", SGD)
    model = model_of(signature)
    assert model_of(signature_of("_target_", SGD)) is model
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["alpha"]["minimum"] == 0
    assert schema["properties"]["alpha"]["default"] == 0.0001
    assert {*schema["properties"]} == {*signature.parameters}


def test_a_model_judges_also_where_nobody_says_what_is_not_known():
    with pytest.raises(ValidationError, match="a number of at least 0"):
        model_of(signature_of("_target_", SGD)).model_validate({"alpha": -1})
