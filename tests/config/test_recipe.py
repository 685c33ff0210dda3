"""What was asked, without its secrets."""

import pytest
import yaml
from omegaconf import OmegaConf

from runner.config.recipe import REDACTED, recipe


def recipe_of(text, overrides=(), selection="mine"):
    return recipe(OmegaConf.create(text), list(overrides), selection)


def test_params_are_the_resolved_config_with_dotted_keys():
    asked = recipe_of("{name: a, seed: 3, estimator: {alpha: 0.1, random_state: '${seed}'}}")
    assert asked.params == {
        "name": "a",
        "seed": 3,
        "estimator.alpha": 0.1,
        "estimator.random_state": 3,
    }


def test_the_yaml_keeps_interpolations_as_they_were_written():
    asked = recipe_of("{name: a, seed: 3, estimator: {random_state: '${seed}'}}")
    assert yaml.safe_load(asked.config)["estimator"] == {"random_state": "${seed}"}


def test_lists_and_empty_mappings_are_single_params():
    asked = recipe_of("{name: a, partial_fit: {classes: [0, 1]}, preprocessing: {}}")
    assert asked.params["partial_fit.classes"] == [0, 1]
    assert asked.params["preprocessing"] == {}


def test_what_is_built_is_a_param_only_where_there_is_a_choice():
    asked = recipe_of("{name: a, _target_: x, stream: {_target_: y}, estimator: {_target_: z}}")
    assert asked.params == {"name": "a", "estimator._target_": "z"}


def test_the_command_repeats_the_run():
    asked = recipe_of("{name: a}", ["++dataset.path=my rows.csv", "seed=1"], "quickstart")
    assert asked.command == "runner run quickstart 'dataset.path=my rows.csv' seed=1"
    assert recipe_of("{name: a}", ["seed=1"], "").command == "runner seed=1"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{name: a, tracking: {uri: '${oc.env:CANARY_URI}'}}", "tracking.uri"),
        ("{name: a, dataset: {storage: {token: hunter2canary}}}", "dataset.storage.token"),
        ("{name: a, dataset: {api_key: hunter2canary}}", "dataset.api_key"),
        ("{name: a, tracking: {uri: 'https://u:hunter2canary@host/x'}}", "tracking.uri"),
    ],
)
def test_secrets_reach_neither_params_nor_yaml(text, key, monkeypatch):
    monkeypatch.setenv("CANARY_URI", "https://u:hunter2canary@host")
    asked = recipe_of(text, ["tracking.uri=https://u:hunter2canary@host"])
    assert REDACTED in str(asked.params[key])
    assert "hunter2canary" not in repr(asked)
