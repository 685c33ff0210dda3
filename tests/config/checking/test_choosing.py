"""How to choose what was not."""

import pytest

from runner.config.checking.choosing import not_chosen, section_problems, what_is_there

TARGET = {"_target_": "runner.callbacks.progress_bar.ProgressBar"}


@pytest.mark.parametrize(
    ("noun", "node", "said", "remedy"),
    [
        ("dataset", None, "must be chosen; got nothing", "write dataset=make_classification here"),
        ("estimator", {"alpha": 1}, "must be chosen; got only alpha", "write estimator=sgd_cl"),
        ("estimator", {"_taget_": "x"}, "must be chosen; got only _taget_", "did you mean '_targ"),
        ("estimator", "perceptron", "an option is chosen under defaults", "write `defaults: [{"),
        ("fit", "epochs = 3", "must be a section of keys; got 'epochs = 3'", "write it as fit: {"),
        ("fit", None, "must be a section of keys; got nothing", "leave fit out, or write keys"),
        ("fit", True, "must be a section of keys; got true", "leave fit out, or write keys"),
    ],
)
def test_a_section_that_is_none_says_how_to_choose(noun, node, said, remedy):
    (problem,) = section_problems(noun, node)
    assert problem.key == noun
    assert said in problem.said
    assert problem.remedy.startswith(remedy)


def test_a_section_that_is_built_is_no_problem():
    assert section_problems("estimator", {"_target_": "x"}) == []
    assert section_problems("callbacks", {}) == []


@pytest.mark.parametrize(
    ("name", "node", "remedy"),
    [
        (
            "early_stopping",
            {"patience": 3},
            "write callbacks=[progress_bar,early_stopping] here, or "
            "`override /callbacks: [progress_bar, early_stopping]` under defaults",
        ),
        (
            "early_stoping",
            {"patience": 3},
            "write its _target_, or name an option; did you mean 'early_stopping'?",
        ),
        ("early_stopping", {"target": "x"}, "did you mean '_target_'?"),
    ],
)
def test_an_option_that_is_only_given_settings_says_how_to_choose_it(name, node, remedy):
    assert not_chosen("callbacks", name, {"progress_bar": TARGET, name: node}).remedy == remedy


def test_what_every_dataset_has_says_nothing():
    assert what_is_there({"chunks": 3, "seed": 1}) == "nothing"
