"""Values that no signature can judge."""

import pytest

from runner.config.checking.values import value_problems

STOPPING = "runner.callbacks.early_stopping.EarlyStopping"


def watching(monitor):
    return {"stop": {"_target_": STOPPING, "monitor": monitor}}


def is_open(value):
    return value == "???"


def told(config):
    return [f"{each.key}: {each.said}" for each in value_problems(config, is_open)]


@pytest.mark.parametrize(
    "config",
    [
        {"partial_fit": {"classes": [0, 1]}},
        {"partial_fit": {"classes": "infer"}},
        {"partial_fit": {"classes": "???"}},
        {"partial_fit": {}},
        {"partial_fit": None, "dataset": "???"},
        *({"dataset": {"chunks": each}} for each in (10, "auto", "64MiB", "1.5 GB", "1e6b", "8k")),
        {"evaluation": {"growth": 2.0, "every": 100}},
        {"evaluation": {"growth": 2.0, "every": "???"}},
        {"evaluation": {"scoring": ["accuracy"]}, "callbacks": watching("accuracy")},
        {"evaluation": {"scoring": "accuracy"}, "callbacks": watching("accuracy")},
        {"evaluation": {"scoring": ["???"]}, "callbacks": watching("accuracy")},
        {"evaluation": {"scoring": None}, "callbacks": watching("accuracy")},
        {"evaluation": {"scoring": ["accuracy"]}, "callbacks": watching(None)},
    ],
)
def test_what_is_right_or_not_known_yet_is_no_problem(config):
    assert told(config) == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"partial_fit": {"classes": "inferr"}}, "partial_fit.classes: must be a list of labels,"),
        ({"partial_fit": {"classes": [1]}}, "partial_fit.classes: must be a list of two labels"),
        ({"partial_fit": {"classes": 3}}, "partial_fit.classes: must be a list of two labels"),
        ({"dataset": {"chunks": "sixty"}}, "dataset.chunks: must be a number of rows, bytes"),
        ({"dataset": {"chunks": "64MBs"}}, "dataset.chunks: must be a number of rows, bytes"),
        ({"evaluation": {"growth": 2, "every": "epoch"}}, "evaluation.growth: must be 1 where"),
        (
            {"evaluation": {"scoring": ["accuracy"]}, "callbacks": watching("acuracy")},
            "callbacks.stop.monitor: must be one of evaluation.scoring; got 'acuracy'",
        ),
    ],
)
def test_what_is_wrong_beside_others_is_told(config, said):
    (problem,) = told(config)
    assert problem.startswith(said)
