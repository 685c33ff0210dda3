import json
from math import inf

import pytest
from jsonschema import Draft202012Validator

from runner.config.signatures.definitions import Definitions, value_schema
from runner.project import option_files

MLP = "sklearn.neural_network.MLPClassifier"


def is_valid(definitions, schema, node):
    whole = {"$defs": definitions.finished(), **schema}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole).is_valid(node)


def option(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    definitions = Definitions()
    return definitions, definitions.option("estimator", path)


def test_what_stands_over_an_option_follows_its_target():
    definitions = Definitions()
    schema = definitions.option("estimator", option_files("estimator")["sgd_classifier"])
    assert is_valid(definitions, schema, {"alpha": 0.1, "loss": "log_loss"})
    assert is_valid(definitions, schema, {"alpha": "${seed}", "loss": "???"})
    assert not is_valid(definitions, schema, {"alhpa": 0.1})
    assert not is_valid(definitions, schema, {"alpha": -0.1})
    assert not is_valid(definitions, schema, {"alpha": "a lot"})
    assert not is_valid(definitions, schema, "sgd_classifier")


def test_a_target_that_is_written_decides_if_it_is_known():
    definitions = Definitions()
    schema = definitions.option("estimator", option_files("estimator")["sgd_classifier"])
    assert definitions.signature(MLP)
    assert is_valid(definitions, schema, {"_target_": MLP, "solver": "adam"})
    assert not is_valid(definitions, schema, {"_target_": MLP, "loss": "hinge"})
    assert is_valid(definitions, schema, {"_target_": "my_package.Thing", "loss": 3})


def test_an_estimator_inside_another_follows_the_target_of_the_option():
    definitions = Definitions()
    schema = definitions.option("estimator", option_files("estimator")["one_vs_rest_classifier"])
    assert is_valid(definitions, schema, {"estimator": {"eta0": 0.1}, "n_jobs": 2})
    assert not is_valid(definitions, schema, {"estimator": {"eta": 0.1}})
    assert definitions.signature(MLP)
    assert is_valid(definitions, schema, {"estimator": {"_target_": MLP, "solver": "sgd"}})
    assert not is_valid(definitions, schema, {"estimator": {"_target_": MLP, "solver": "sdg"}})


def test_a_transformer_in_an_argument_is_checked_where_it_is_known():
    definitions = Definitions()
    path = option_files("estimator")["multi_output_classifier"]
    schema = definitions.option("estimator", path)
    assert definitions.target_of(path) == "sklearn.multioutput.MultiOutputClassifier"
    assert is_valid(definitions, schema, {"n_jobs": None})
    assert not is_valid(definitions, schema, {"n_jobs": "all"})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", "_target_: os.system", "_target_: {a: 1}", "a: &a [*a]", "a: 1"),
        "_target_: my_package.Thing",
    ],
)
def test_an_option_of_which_nothing_is_known_takes_anything(tmp_path, text):
    definitions, schema = option(tmp_path, text)
    assert is_valid(definitions, schema, {"a": {"b": 1}})
    assert not is_valid(definitions, schema, [])


def test_an_option_may_bring_several_names(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(f"a: {{_target_: {MLP}}}\nb: {{_target_: my_package.Thing}}\nc: 1\n")
    schemas = Definitions().options("preprocessing", path)
    assert {*schemas} == {"a", "b"}


def test_infinity_is_a_number_beyond_all_others():
    schema = value_schema({"anyOf": [{"enum": [inf, -inf, "auto"]}, {"type": "null"}]})
    assert "Infinity" not in json.dumps(schema)
    definitions = Definitions()
    assert all(is_valid(definitions, schema, value) for value in (inf, -inf, "auto", None))
    assert not any(is_valid(definitions, schema, value) for value in (1.0, "other", 1e308))


def test_only_json_schema_is_left_of_a_fragment():
    schema = value_schema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "number", "x-infinite": True}},
                {"enum": ["old"], "x-hidden": True},
                {"type": "object", "additionalProperties": {"type": "object"}},
            ],
            "description": "It.",
        },
        default=None,
    )
    assert schema == {
        "anyOf": [
            {"type": "array", "items": {"type": "number"}},
            {"enum": ["old"]},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/built"}},
            {"$ref": "#/$defs/interpolation"},
        ],
        "description": "It.",
        "default": None,
    }


def test_anything_and_any_text_need_no_interpolation():
    assert value_schema({}) == {}
    assert value_schema({"type": "string"}) == {"anyOf": [{"type": "string"}]}
