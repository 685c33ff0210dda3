"""What keeps Hydra from composing a file at all."""

import pytest

from runner.config.checking.shape import shape_problems
from runner.config.reading.scan import scanned


def told(project, text):
    file = project / "a.yaml"
    file.write_text(text)
    return [str(each) for each in shape_problems(file, scanned(file))]


@pytest.mark.parametrize(
    "text",
    [
        "seed: 1\n",
        "# mine\n# @package _global_\nseed: 1\n",
        "seed: 1\n# @package below is a comment\n",
        "name: run-${seed}-${oc.env:X,y}\nfit: {epochs: '${a.b}'}\n",
        "fit: {class_weight: {true: 1, false: 2}}\n",
        "evaluation: {scoring: [accuracy]}\nsweep: {runs: [{seed: 1}], grid: {}}\n",
        "fit: null\nsweep: null\n",
        "",
    ],
)
def test_what_can_be_composed_is_no_problem(project, text):
    assert told(project, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "# mine\n# @package fit\nepochs: 1\n",
            "a.yaml:2:1: @package: an experiment's file sets keys of the whole experiment; got "
            "fit\n"
            "    leave the line out, and write the keys under their section",
        ),
        (
            "estimator: [perceptron]\n",
            "a.yaml:1:1: estimator: must be a section of keys; got [perceptron]\n"
            "    to choose, write `override /estimator: perceptron` under defaults",
        ),
        (
            "callbacks: [checkpoint, time_limit]\n",
            "a.yaml:1:1: callbacks: must be a section of keys; got [checkpoint, time_limit]\n"
            "    to choose, write `override /callbacks: [checkpoint, time_limit]` under defaults",
        ),
        (
            "callbacks: {time_limit: [3]}\n",
            "a.yaml:1:13: callbacks.time_limit: must be a section of keys; got [3]\n"
            "    write it as time_limit: {key: value}",
        ),
        (
            "sweep: {runs: {seed: 1}}\n",
            "a.yaml:1:9: sweep.runs: must be a list of sections; got {seed: 1}\n"
            "    write it as [{seed: 1}, {seed: 2}]",
        ),
        (
            "fit: {on: 3}\n",
            "a.yaml:1:7: fit.on: must be text as a key; YAML reads on as true\n"
            "    write 'on' in quotes, or another name",
        ),
        (
            "fit:\n  epochs: '${seed'\n",
            "a.yaml:2:11: fit.epochs: has a reference that cannot be read; got '${seed'\n"
            "    write it as ${key}, with both braces",
        ),
    ],
)
def test_what_cannot_is_told_where_it_stands(project, text, said):
    assert told(project, text) == [said]
