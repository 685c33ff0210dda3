"""The experiment and its sweep, though a reference is lost."""

import pytest
from omegaconf import OmegaConf

from runner.config.checking.parting import parted, rest_of


def composed(**keys):
    runtime = {"choices": {"experiment": "mine"}}
    hydra = {"overrides": {"task": ["experiment=mine"]}, "runtime": runtime}
    return OmegaConf.create({"hydra": hydra, "name": None, "seed": 3, **keys})


def test_the_parts_of_a_right_config_are_found():
    found, problems = parted(composed(sweep={"grid": {"seed": [1, 2]}}))
    assert problems == []
    assert found.config == {"name": "mine", "seed": 3}
    assert found.sweep == {"grid": {"seed": [1, 2]}}


@pytest.mark.parametrize("keys", [{"sweep": "${nowhere}"}, {"sweep": {"grid": "${nowhere}"}}])
def test_what_is_lost_is_told_and_the_rest_is_there(keys):
    config = composed(**keys)
    found, (problem,) = parted(config)
    assert found is None
    assert problem.said == "${nowhere} refers to nothing"
    assert rest_of(config).seed == 3
    assert set(rest_of(config)) == {"name", "seed"}
