"""A sweep in Hydra's own words."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from runner.config.compose import opened
from runner.errors import ConfigError
from runner.sweeps.asked import axes_of_line, axes_of_params, chosen, decided, joined

PARSER = OverridesParser.create()


def line(*overrides):
    return axes_of_line(PARSER.parse_overrides(opened(overrides)))


def swept(choices):
    return [value for choice in choices for value in choice.swept.values()]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("1,2", [1, 2]),
        ("a,'b, c',null", ["a", "b, c", None]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ("{a:1},{b:[2]}", [{"a": 1}, {"b": [2]}]),
        ("range(1,4)", [1, 2, 3]),
        ("range(0,1,0.5)", [0.0, 0.5]),
        ("choice(0.1,1e-2)", [0.1, 0.01]),
        ("sort(3,1,2)", [1, 2, 3]),
        ("${seed},2", ["${seed}", 2]),
    ],
)
def test_what_hydra_sweeps_over_is_listed_as_hydra_reads_it(words, values):
    choices = line(f"estimator.alpha={words}")["estimator.alpha"]
    assert swept(choices) == values
    again = [PARSER.parse_override(text).value() for choice in choices for text in choice.texts]
    assert again == values


def test_what_is_plain_is_one_choice_as_it_was_written():
    axes = line("seed=3", "estimator.alpha=1e-3", "~callbacks", "+partial_fit.classes=[1,2]")
    assert {key: [choice.texts for choice in choices] for key, choices in axes.items()} == {
        "seed": [("seed=3",)],
        "estimator.alpha": [("++estimator.alpha=1e-3",)],
        "~callbacks": [("~callbacks",)],
        "+partial_fit.classes": [("+partial_fit.classes=[1,2]",)],
    }
    assert swept(choice for choices in axes.values() for choice in choices) == []


def test_the_last_of_two_that_set_one_key_counts_as_in_hydras_own_sweeper():
    assert swept(line("seed=1", "seed=2,3")["seed"]) == [2, 3]


def test_the_section_sweep_is_no_choice_of_a_member():
    assert line("sweep.grid={seed:[1,2]}", "sweep.zip.a=[1]", "sweep=null") == {}


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("sweep.grid={seed:[1]},{seed:[2]}", "sweep.grid"),
        ("seed=interval(0,1)", "seed"),
        ("seed=range(3,3)", "seed"),
    ],
)
def test_what_cannot_be_listed_is_refused(override, key):
    with pytest.raises(ConfigError) as caught:
        line(override)
    assert str(caught.value).startswith(f"{key} must be swept over values that are listed; got")


def test_params_are_hydras_text_or_lists_of_yaml():
    params = {
        "seed": "1,2",
        "estimator": {"alpha": [0.1, [1, 2], "a,b"], "eta0": "choice(1, 3)"},
        "fit.epochs": 5,
        "name": "x",
        "strict": "true,false",
    }
    axes = axes_of_params(PARSER, params, {"strict"})
    assert {key: swept(choices) for key, choices in axes.items()} == {
        "seed": [1, 2],
        "estimator.alpha": [0.1, [1, 2], "a,b"],
        "estimator.eta0": [1, 3],
        "fit.epochs": [],
        "name": [],
    }
    assert axes["fit.epochs"][0].texts == ("++fit.epochs=5",)
    assert axes["name"][0].texts == ("name=x",)


@pytest.mark.parametrize("key", ["hydra.job.name", "hydra/launcher", "sweep", "sweep.grid"])
@pytest.mark.parametrize("value", ["a", ["a"]])
def test_params_name_settings_of_the_experiment_alone(key, value):
    with pytest.raises(ConfigError, match=r"hydra\.sweeper\.params must name settings of the exp"):
        axes_of_params(PARSER, {key: value}, set())


def test_what_a_line_decides_is_told_without_signs_and_down_to_the_keys():
    asked = PARSER.parse_overrides(
        ["++a.b=1,2", "~c", "+d={e: {f: 1}, 3: 4}", "estimator=x", "g={h: 1},{h: 2}"]
    )
    assert decided(asked) == {"a.b", "c", "d", "d.e.f", "d.3", "estimator", "g"}


def test_choices_are_joined_in_order():
    choice = joined([chosen("seed", 1), chosen("estimator.alpha", [1]), chosen("seed", 2)])
    assert choice.texts == ("seed=1", "++estimator.alpha=[1]", "seed=2")
    assert choice.swept == {"seed": 2, "estimator.alpha": [1]}
